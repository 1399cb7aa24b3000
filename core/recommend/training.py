"""Makes the trained head and the confidence curves, from phrases of the project's own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Catalogue, Workflow
from core.recommend.calibration import Curve, Curves, Feature, features, fit
from core.recommend.embedding import Embedder, Floats
from core.recommend.grams import BUCKETS
from core.recommend.head import IMPUTED, JOINED, LEARNT, Head
from core.recommend.local_ranker import (
    FITS,
    UNTRAINED,
    LocalRanker,
    joined,
    log_shares,
    nearness,
    none_features,
    untrained,
    version_of,
)
from core.recommend.nearness import STEPS, Near, quantized
from core.recommend.phrases import Phrase
from core.recommend.ranking import Ranked
from core.recommend.seen import directions_of, points_of
from core.recommend.unseen import EMBEDDING_WEIGHT, Rows, design_of, rows_of, softmax, unseen_of

__all__ = ["train"]

RIDGE, OPTIONS = 1e-4, {"maxiter": 500}
# What each curve looks at. The head's own share of the first is a chance already, and the curve
# corrects it as Platt (1999) does; without a head shares are no chances.
TRAINED_CURVE: tuple[Feature, ...] = ("share",)
UNTRAINED_CURVE: tuple[Feature, ...] = ("gap", "entropy", "examples", "centroid", "bm25")
# Only workflows that come into question teach what a nearness lets expect.
NEAREST = 5
# Of the tasks that people bring, so many are served by no workflow.
NONE_SHARE = 1 / 6
Doubles = NDArray[np.float64]


def train(
    catalogue: Catalogue, embedder: Embedder, phrases: Sequence[Phrase], came_from: str
) -> tuple[Head, Curves]:
    """Fit the head on phrases and examples, its join with the nearness, and both curves.

    What joins and calibrates is fitted on what a head says that has seen no phrase of the same
    file: who writes many at once repeats themselves, and people who bring tasks are new. The
    curves are fitted on the natural phrases alone. The same input gives the same arrays. Needs
    scikit-learn.

    Raises:
        InvalidInput: a phrase names a workflow that is not loaded.
    """
    rows = rows_of(catalogue.workflows, embedder, phrases)
    design = design_of(rows)
    model = softmax(design, rows.y)
    own = [
        phrase
        for each in catalogue.workflows
        for phrase in (each.name, each.description, *each.examples)
    ]
    steps, sizes = quantized(embedder.encode(own))
    held_out = rows.vectors[: rows.held_out]
    directions = directions_of(held_out).astype(np.float16)
    points = points_of(held_out, directions.astype(np.float32))
    head = Head(
        classes=np.array(rows.classes),
        weights=(EMBEDDING_WEIGHT * model.coef_[:, :-BUCKETS].T).astype(np.float32),
        grams=model.coef_[:, -BUCKETS:].T.astype(np.float16),
        bias=model.intercept_.astype(np.float32),
        frequency=rows.frequency,
        join=np.zeros(JOINED, dtype=np.float32),
        imputed=np.zeros((LEARNT, IMPUTED), dtype=np.float32),
        phrases=np.array(own),
        steps=steps,
        sizes=sizes,
        directions=directions,
        points=np.rint(points * STEPS).astype(np.int8),
        labels=rows.y[: rows.held_out].astype(np.uint8),
        came_from=came_from,
    )
    unseen = unseen_of(design, rows, head.seen())
    head = replace(head, imputed=_imputed(rows, unseen))
    head = replace(head, join=_join(rows, unseen))
    every = np.arange(len(catalogue.workflows))
    scored = [
        (near, log_shares(joined(head, near, learnt, every))[:-1])
        for near, learnt in zip(rows.near, unseen, strict=True)
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


def _imputed(rows: Rows, unseen: Sequence[Floats]) -> Floats:
    """Return shape (2, 4): what is learnt of a class, regressed on nearness by least squares."""
    x, known = [], []
    for near, learnt in zip(rows.near, unseen, strict=True):
        nearest = np.argsort(-(near.centroid + near.examples))[:NEAREST]
        x.append(nearness(near)[nearest])
        known.append(learnt[:, nearest].T)
    solved = np.linalg.lstsq(np.concatenate(x), np.concatenate(known), rcond=None)[0]
    return solved.T.astype(np.float32)


def _join(rows: Rows, unseen: Sequence[Floats]) -> Floats:
    """Fit the weights of the conditional logit, with a small ridge, by L-BFGS."""
    from scipy.optimize import minimize

    x = np.zeros((rows.held_out, len(rows.classes), JOINED))
    for near, learnt, row in zip(rows.near, unseen, x, strict=True):
        row[:-1, :FITS] = np.vstack([near.centroid, near.examples, near.bm25, learnt[:, :-1]]).T
        row[-1, FITS:] = none_features(near, learnt[:, -1])
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
    rows: Rows,
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
