"""Which workflow fits: rankers, their calibrated confidence, and how good they are."""

from core.recommend.answering import Answering
from core.recommend.calibration import Curve, Curves
from core.recommend.embedding import Embedder
from core.recommend.evaluation import (
    Evaluation,
    Judged,
    LabelledTask,
    Miss,
    judge,
    labelled_in,
    read_labelled,
)
from core.recommend.feedback import Feedback, Reaction
from core.recommend.head import CALIBRATION, HEAD, Head, fingerprint
from core.recommend.local_ranker import LocalRanker, version_of
from core.recommend.memory import Memory
from core.recommend.model_ranker import Asking, ModelRanker, ModelRanking
from core.recommend.phrases import Phrase, phrases_in
from core.recommend.profile import Profile, Profiles
from core.recommend.ranking import Ranked, Ranker, Standing
from core.recommend.recalibration import Confidence, Confidences, RankerName
from core.recommend.recommendation import (
    BANDS,
    FITS_FROM,
    Band,
    Recommendation,
    Suggestion,
    band_of,
)
from core.recommend.recommender import Recommender
from core.recommend.report import report_of
from core.recommend.training import train

__all__ = [
    "BANDS",
    "CALIBRATION",
    "FITS_FROM",
    "HEAD",
    "Answering",
    "Asking",
    "Band",
    "Confidence",
    "Confidences",
    "Curve",
    "Curves",
    "Embedder",
    "Evaluation",
    "Feedback",
    "Head",
    "Judged",
    "LabelledTask",
    "LocalRanker",
    "Memory",
    "Miss",
    "ModelRanker",
    "ModelRanking",
    "Phrase",
    "Profile",
    "Profiles",
    "Ranked",
    "Ranker",
    "RankerName",
    "Reaction",
    "Recommendation",
    "Recommender",
    "Standing",
    "Suggestion",
    "band_of",
    "fingerprint",
    "judge",
    "labelled_in",
    "phrases_in",
    "read_labelled",
    "report_of",
    "train",
    "version_of",
]
