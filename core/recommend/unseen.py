"""The phrases to train on, and what a head says of each that has not seen its file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Workflow
from core.errors import InvalidInput
from core.recommend.embedding import Embedder, Floats
from core.recommend.grams import BUCKETS, Counts, counts, inverse_frequency, weighted
from core.recommend.head import NONE
from core.recommend.local_ranker import LEAST_LOG_CHANCE, learnt_of
from core.recommend.nearness import Index, Near
from core.recommend.phrases import Phrase
from core.recommend.seen import Seen

__all__ = ["EMBEDDING_WEIGHT", "Rows", "design_of", "rows_of", "softmax", "unseen_of"]

FOLDS = 5
# The embedding beside words and letters. With a few hundred phrases it had to count for three;
# with as many as there are now words tell more, and the nearness has the embedding too.
EMBEDDING_WEIGHT = 1.0
# Inverse strength of the ridge, as scikit-learn has it.
C, ITERATIONS = 8.0, 200
AT_ONCE = 1_000
# What stands for the file of the workflows' own examples.
EXAMPLES = "examples of the workflows"


@dataclass(frozen=True, slots=True)
class Rows:
    """Phrases with all that is computed of them once; `near` only of those in files."""

    classes: list[str]
    y: NDArray[np.intp]
    vectors: Floats
    counted: list[Counts]
    frequency: Floats
    near: list[Near]
    natural: NDArray[np.bool_]
    files: NDArray[np.str_]

    @property
    def held_out(self) -> int:
        """How many can be judged: an example of a workflow would be nearest to itself."""
        return len(self.near)


def rows_of(workflows: Sequence[Workflow], embedder: Embedder, phrases: Sequence[Phrase]) -> Rows:
    classes = [*(each.workflow_id for each in workflows), NONE]
    place = {name: at for at, name in enumerate(classes)}
    if unknown := sorted({each.workflow for each in phrases} - place.keys()):
        raise InvalidInput("file", f"No workflow is called {', '.join(unknown)}.")
    examples = [
        (phrase, place[each.workflow_id]) for each in workflows for phrase in each.examples
    ]
    titles = [*(each.title for each in phrases), *(phrase for phrase, _ in examples)]
    counted = [counts(title) for title in titles]
    vectors = np.concatenate(
        [embedder.encode(titles[at : at + AT_ONCE]) for at in range(0, len(titles), AT_ONCE)]
    )
    index = Index(workflows, embedder)
    return Rows(
        classes=classes,
        y=np.array([*(place[each.workflow] for each in phrases), *(at for _, at in examples)]),
        vectors=vectors,
        counted=counted,
        frequency=inverse_frequency(counted),
        near=[
            index.near(each.title, vector) for each, vector in zip(phrases, vectors, strict=False)
        ],
        natural=np.array([each.natural for each in phrases]),
        files=np.array([*(each.file for each in phrases), *(EXAMPLES for _ in examples)]),
    )


def design_of(rows: Rows) -> Any:
    """Return the sparse matrix that the softmax is fitted on, shape (n, 512 + buckets)."""
    from scipy.sparse import csr_matrix, hstack

    weighed = [weighted(text, rows.frequency) for text in rows.counted]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in weighed)])
    where = np.concatenate([buckets for buckets, _ in weighed])
    values = np.concatenate([weights for _, weights in weighed]).astype(np.float64)
    grams = csr_matrix((values, where, ends), shape=(len(weighed), BUCKETS))
    grams.sum_duplicates()
    return hstack([csr_matrix(EMBEDDING_WEIGHT * rows.vectors.astype(np.float64)), grams]).tocsr()


def softmax(design: Any, y: NDArray[np.intp]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=ITERATIONS).fit(design, y)


def unseen_of(design: Any, rows: Rows, seen: Seen) -> list[Floats]:
    """Return of each row that is held out what is learnt of it, (2, classes), without its file."""
    from sklearn.model_selection import GroupKFold

    folds = GroupKFold(min(FOLDS, len(np.unique(rows.files))))
    unseen = np.full((len(rows.y), len(rows.classes)), LEAST_LOG_CHANCE, dtype=np.float32)
    for known, new in folds.split(design, rows.y, rows.files):
        model = softmax(design[known], rows.y[known])
        unseen[np.ix_(new, model.classes_)] = model.predict_log_proba(design[new])
    files, vectors = rows.files[: rows.held_out], rows.vectors[: rows.held_out]
    chunks = [slice(at, at + AT_ONCE) for at in range(0, rows.held_out, AT_ONCE)]
    alike = np.concatenate(
        [seen.alike(vectors[here], but=files[here, None] == files) for here in chunks]
    )
    return [learnt_of(*each) for each in zip(unseen, alike, strict=False)]
