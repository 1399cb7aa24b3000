"""Which workflow fits: rankers, their calibrated confidence, and how good they are."""

from core.recommend.calibration import CALIBRATION, Curve
from core.recommend.embedding import Embedder
from core.recommend.evaluation import (
    Evaluation,
    Judged,
    LabelledTask,
    Miss,
    calibrate,
    evaluate,
    judge,
    labelled_in,
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
    "Judged",
    "LabelledTask",
    "LocalRanker",
    "Miss",
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
    "judge",
    "labelled_in",
    "read_labelled",
]
