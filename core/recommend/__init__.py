"""Which workflow fits: rankers, their calibrated confidence, and how good they are."""

from core.recommend.calibration import CALIBRATION, Curve
from core.recommend.embedding import Embedder
from core.recommend.evaluation import (
    Evaluation,
    LabelledTask,
    calibrate,
    evaluate,
    read_labelled,
)
from core.recommend.local_ranker import LocalRanker, Ranked, Ranker
from core.recommend.profile import Profile, Profiles
from core.recommend.recommendation import (
    BANDS,
    FITS_FROM,
    Band,
    Recommendation,
    Suggestion,
    band_of,
)
from core.recommend.recommender import Recommender

__all__ = [
    "BANDS",
    "CALIBRATION",
    "FITS_FROM",
    "Band",
    "Curve",
    "Embedder",
    "Evaluation",
    "LabelledTask",
    "LocalRanker",
    "Profile",
    "Profiles",
    "Ranked",
    "Ranker",
    "Recommendation",
    "Recommender",
    "Suggestion",
    "band_of",
    "calibrate",
    "evaluate",
    "read_labelled",
]
