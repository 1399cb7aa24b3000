"""Makes the trained head and the confidence curves, from phrases of the project's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Catalogue, Workflow
from core.errors import InvalidInput
from core.recommend.calibration import Curve, Curves, Feature, features, fit
from core.recommend.embedding import Embedder, Floats
from core.recommend.grams import BUCKETS, Counts, counts, inverse_frequency, weighted
from core.recommend.head import IMPUTED, JOINED, NONE, Head
from core.recommend.local_ranker import (
    LEAST_LOG_CHANCE,
    UNTRAINED,
    LocalRanker,
    joined,
    log_shares,
    nearness,
    none_features,
    untrained,
    version_of,
)
from core.recommend.nearness import Index, Near, quantized
from core.recommend.phrases import Phrase
from core.recommend.ranking import Ranked

__all__ = ["train"]

FOLDS = 5
# The embedding beside words and letters. With a few hundred phrases it had to count for three;
# with as many as there are now words tell more, and the nearness has the embedding too.
EMBEDDING_WEIGHT = 1.0
# Inverse strength of the ridge, as scikit-learn has it.
C, STEPS = 8.0, 200
RIDGE, OPTIONS = 1e-4, {"maxiter": 500}
# What each curve looks at; a ranker without training knows of no "nothing fits".
TRAINED_CURVE: tuple[Feature, ...] = ("none", "gap")
UNTRAINED_CURVE: tuple[Feature, ...] = ("gap", "entropy", "examples", "centroid", "bm25")
# Only workflows that come into question teach what a nearness lets expect.
NEAREST = 5
AT_ONCE = 1_000
# Of the tasks that people bring, so many are served by no workflow.
NONE_SHARE = 1 / 6
Doubles = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class _Rows:
    """Phrases with all that is computed of them once; `near` only of those in files."""

    classes: list[str]
    y: NDArray[np.intp]
    vectors: Floats
    counted: list[Counts]
    frequency: Floats
    near: list[Near]
    natural: NDArray[np.bool_]

    @property
    def held_out(self) -> int:
        """How many can be judged: an example of a workflow would be nearest to itself."""
        return len(self.near)


def train(
    catalogue: Catalogue, embedder: Embedder, phrases: Sequence[Phrase], came_from: str
) -> tuple[Head, Curves]:
    """Fit the head on phrases and examples, its join with the nearness, and both curves.

    What joins and calibrates is fitted on predictions of five folds, of phrases that the head of
    their fold has not seen; the curves on the natural ones alone. The same input gives the same
    arrays. Needs scikit-learn.

    Raises:
        InvalidInput: a phrase names a workflow that is not loaded.
    """
    rows = _rows(catalogue.workflows, embedder, phrases)
    design = _design(rows)
    model = _softmax(design, rows.y)
    own = [
        phrase
        for each in catalogue.workflows
        for phrase in (each.name, each.description, *each.examples)
    ]
    steps, sizes = quantized(embedder.encode(own))
    head = Head(
        classes=np.array(rows.classes),
        weights=(EMBEDDING_WEIGHT * model.coef_[:, :-BUCKETS].T).astype(np.float32),
        grams=model.coef_[:, -BUCKETS:].T.astype(np.float16),
        bias=model.intercept_.astype(np.float32),
        frequency=rows.frequency,
        join=np.zeros(JOINED, dtype=np.float32),
        imputed=np.zeros(IMPUTED, dtype=np.float32),
        phrases=np.array(own),
        steps=steps,
        sizes=sizes,
        came_from=came_from,
    )
    unseen = _out_of_fold(design, rows)
    head = replace(head, imputed=_imputed(rows, unseen))
    head = replace(head, join=_join(rows, unseen))
    every = np.arange(len(catalogue.workflows))
    scored = [
        (near, log_shares(joined(head, near, log_chances, every))[:-1])
        for near, log_chances in zip(rows.near, unseen, strict=True)
    ]
    plain = [(near, log_shares(untrained(near))) for near in rows.near]
    return head, Curves(
        curves=(
            _curve(catalogue.workflows, scored, rows, TRAINED_CURVE, version_of(head)),
            _curve(catalogue.workflows, plain, rows, UNTRAINED_CURVE, UNTRAINED),
        )
    )


def weights_of(none: NDArray[np.bool_]) -> Doubles:
    """Return shape (n,): a task that nothing serves counts as often as people bring one."""
    share = float(none.mean())
    if not 0 < share < 1:
        return np.ones(len(none))
    return np.where(none, NONE_SHARE / share, (1 - NONE_SHARE) / (1 - share))


def _rows(workflows: Sequence[Workflow], embedder: Embedder, phrases: Sequence[Phrase]) -> _Rows:
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
    return _Rows(
        classes=classes,
        y=np.array([*(place[each.workflow] for each in phrases), *(at for _, at in examples)]),
        vectors=vectors,
        counted=counted,
        frequency=inverse_frequency(counted),
        near=[
            index.near(each.title, vector) for each, vector in zip(phrases, vectors, strict=False)
        ],
        natural=np.array([each.natural for each in phrases]),
    )


def _design(rows: _Rows) -> Any:
    """Return the sparse matrix that the softmax is fitted on, shape (n, 512 + buckets)."""
    from scipy.sparse import csr_matrix, hstack

    weighed = [weighted(text, rows.frequency) for text in rows.counted]
    ends = np.cumsum([0, *(len(buckets) for buckets, _ in weighed)])
    where = np.concatenate([buckets for buckets, _ in weighed])
    values = np.concatenate([weights for _, weights in weighed]).astype(np.float64)
    grams = csr_matrix((values, where, ends), shape=(len(weighed), BUCKETS))
    grams.sum_duplicates()
    return hstack([csr_matrix(EMBEDDING_WEIGHT * rows.vectors.astype(np.float64)), grams]).tocsr()


def _softmax(design: Any, y: NDArray[np.intp]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=C, max_iter=STEPS).fit(design, y)


def _out_of_fold(design: Any, rows: _Rows) -> Floats:
    """Return shape (held out, classes): log probabilities by a head that has not seen the row."""
    from sklearn.model_selection import StratifiedKFold

    unseen = np.zeros((len(rows.y), len(rows.classes)), dtype=np.float32)
    for known, new in StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(design, rows.y):
        unseen[new] = _softmax(design[known], rows.y[known]).predict_log_proba(design[new])
    return unseen[: rows.held_out]


def _imputed(rows: _Rows, unseen: Floats) -> Floats:
    """Regress the head's log probability on the nearness, by least squares."""
    x, h = [], []
    for near, log_chances in zip(rows.near, unseen, strict=True):
        nearest = np.argsort(-(near.centroid + near.examples))[:NEAREST]
        x.append(nearness(near)[nearest])
        h.append(np.maximum(log_chances[nearest], LEAST_LOG_CHANCE))
    solved: Floats = np.linalg.lstsq(np.concatenate(x), np.concatenate(h), rcond=None)[0]
    return solved.astype(np.float32)


def _join(rows: _Rows, unseen: Floats) -> Floats:
    """Fit the weights of the conditional logit, with a small ridge, by L-BFGS."""
    from scipy.optimize import minimize

    known = np.maximum(unseen, LEAST_LOG_CHANCE)
    x = np.zeros((rows.held_out, len(rows.classes), JOINED))
    for near, log_chances, row in zip(rows.near, known, x, strict=True):
        row[:-1, :4] = np.stack(
            [near.centroid, near.examples, near.bm25, log_chances[:-1]], axis=1
        )
        row[-1, 4:] = none_features(near, float(log_chances[-1]))
    y = rows.y[: rows.held_out]
    right = x[np.arange(len(y)), y]
    weight = weights_of(y == len(rows.classes) - 1) / len(y)

    def loss(join: Doubles) -> tuple[float, Doubles]:
        utilities = x @ join
        shifted = utilities - utilities.max(axis=1, keepdims=True)
        shares = np.exp(shifted)
        total = shares.sum(axis=1, keepdims=True)
        shares /= total
        missed = weight @ (np.log(total)[:, 0] - shifted[np.arange(len(y)), y])
        slope = weight @ (np.einsum("nc,ncf->nf", shares, x) - right)
        return missed + RIDGE * float(join @ join), slope + 2 * RIDGE * join

    fitted = minimize(loss, np.zeros(JOINED), jac=True, method="L-BFGS-B", options=OPTIONS)
    weights: Floats = fitted.x.astype(np.float32)
    return weights


def _curve(
    workflows: Sequence[Workflow],
    scored: Sequence[tuple[Near, Floats]],
    rows: _Rows,
    names: tuple[Feature, ...],
    version: str,
) -> Curve:
    """Fit on the natural phrases; on all where there is none."""
    chosen = np.flatnonzero(rows.natural) if rows.natural.any() else np.arange(rows.held_out)
    x, right = [], []
    for at in chosen.tolist():
        near, scores = scored[at]
        order = np.argsort(-scores, kind="stable")
        x.append(features([_ranked(workflows[k], near, scores, k) for k in order], names))
        right.append(float(order[0] == rows.y[at]))
    return fit(
        np.array(x),
        np.array(right),
        weights_of(rows.y[chosen] == len(workflows)),
        names=names,
        ranker=LocalRanker.name,
        version=version,
        fitted_on=f"{len(chosen):,} titles",
    )


def _ranked(workflow: Workflow, near: Near, scores: Floats, at: int) -> Ranked:
    return Ranked(
        workflow=workflow,
        score=float(scores[at]),
        centroid=float(near.centroid[at]),
        examples=float(near.examples[at]),
        bm25=float(near.bm25[at]),
        closest="",
    )
