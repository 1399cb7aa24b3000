"""The confidence curve, the labelled tasks it was fitted on, and that the two belong together."""

from __future__ import annotations

import math
from collections import Counter
from difflib import get_close_matches
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.catalogue import DOMAINS, Catalogue, content_stems, words_of
from core.errors import HeadUnusable
from core.recommend import (
    CALIBRATION,
    HEAD,
    Curve,
    Curves,
    Head,
    LabelledTask,
    Ranked,
    phrases_in,
    version_of,
)
from core.recommend.calibration import Feature, features, fit
from core.recommend.evaluation import read_labelled
from core.settings import PROJECT

LABELLED = PROJECT / "data" / "labelled.jsonl"
SHIPPED = Curves.load().curves[0]
WORKFLOW = Catalogue.load([PROJECT / "workflows"]).workflows[0]


def ranked(
    score: float, examples: float = 0.5, centroid: float = 0.4, bm25: float = 1.0
) -> Ranked:
    return Ranked(WORKFLOW, score, centroid, examples, bm25, WORKFLOW.name)


log_shares = st.floats(-60, 0)
cosines = st.floats(-1, 1)
rankings = st.lists(
    st.builds(ranked, log_shares, cosines, cosines, st.floats(0, 1e4)), min_size=1, max_size=30
)


# --- the curve


@settings(max_examples=200, deadline=None)
@given(ranking=rankings, most=st.integers(1, 12))
def test_confidences_never_rise_and_stay_within_0_and_1(ranking: list[Ranked], most: int) -> None:
    confidences = SHIPPED.confidences(ranking, most)
    assert len(confidences) == min(most, len(ranking))
    assert confidences == sorted(confidences, reverse=True)
    assert all(0.01 <= confidence <= 0.99 for confidence in confidences)
    assert [round(confidence, 6) for confidence in confidences] == confidences


def test_a_confidence_is_the_sigmoid_of_the_weighted_features() -> None:
    curve = Curve(
        ranker="local",
        ranker_version="1",
        fitted_on="nothing",
        rows=0,
        features=("gap", "examples", "bm25"),
        bias=0.5,
        weights=(1.0, 2.0, 0.1),
        mean=(1.0, 0.5, 2.0),
        scale=(2.0, 0.25, 4.0),
    )
    first, second = ranked(-0.1, examples=0.75, bm25=6.0), ranked(-1.1)
    sure = 1 / (1 + math.exp(-(0.5 + 0.0 + 2.0 + 0.1)))
    # The second has its part by the ratio of their shares.
    wanted = [sure, sure * math.exp(-1.0)]
    assert curve.confidences([first, second], 3) == pytest.approx(wanted, abs=1e-6)


def test_the_features_of_a_ranking_are_those_computed_by_hand() -> None:
    shares = [0.5, 0.125, 0.1, 0.05]  # and 0.225 that nothing fits
    ranking = [ranked(math.log(share), 0.9, 0.8, 4.0) for share in shares]
    entropy = -sum(share * math.log(share) for share in (*shares, 0.225))
    found = features(ranking, ("share", "gap", "entropy", "examples", "centroid", "bm25"))
    share, gap = math.log(0.5 / 0.5), math.log(4)
    assert found == pytest.approx(np.array([share, gap, entropy, 0.9, 0.8, 4.0]))
    assert features(ranking, ("bm25", "share")) == pytest.approx(np.array([4.0, share]))


def test_the_only_workflow_has_no_gap_to_another() -> None:
    assert features([ranked(-0.5)], ("gap",)).tolist() == [0.0]


def test_a_curve_with_an_unknown_key_is_refused(tmp_path: Path) -> None:
    text = CALIBRATION.read_text(encoding="utf-8").replace('"bias"', '"bios"')
    (tmp_path / "curve.json").write_text(text, encoding="utf-8")
    with pytest.raises(HeadUnusable, match=r"(?s)bios.*`make train`"):
        Curves.load(tmp_path / "curve.json")


def test_a_ranker_that_no_curve_was_fitted_for_is_refused_with_the_command_that_helps() -> None:
    with pytest.raises(HeadUnusable, match=r"no curve for local 0.*`make train`"):
        Curves.load().of("local", "0")


# --- the fit


NAMES: tuple[Feature, ...] = ("share", "gap", "entropy", "examples", "bm25")
SIZES = np.array([1, 10, 0.1, 3, 1, 1, 1, 1])


def fitted(x: np.ndarray, right: np.ndarray, weight: np.ndarray | None = None) -> Curve:
    weight = np.ones(len(x)) if weight is None else weight
    names = NAMES[: x.shape[1]]
    return fit(x, right, weight, names=names, ranker="local", version="1", fitted_on="drawn")


def drawn(n: int, bias: float, weights: list[float]) -> tuple[np.ndarray, np.ndarray]:
    """Features of different sizes, and outcomes drawn from a known logistic model of them."""
    rng = np.random.default_rng(7)
    x = rng.normal(size=(n, len(weights))) * SIZES[: len(weights)] + 5
    chance = 1 / (1 + np.exp(-(bias + (x - 5) / SIZES[: len(weights)] @ np.array(weights))))
    return x, (rng.random(n) < chance).astype(np.float64)


def chances(curve: Curve, x: np.ndarray) -> np.ndarray:
    z = curve.bias + (x - np.array(curve.mean)) / np.array(curve.scale) @ np.array(curve.weights)
    found: np.ndarray = 1 / (1 + np.exp(-z))
    return found


def test_a_fit_finds_the_model_that_the_outcomes_were_drawn_from() -> None:
    weights = [1.0, -0.5, 0.0, 2.0, 0.25]
    x, right = drawn(20_000, -1.0, weights)
    curve = fitted(x, right)
    assert curve.weights == pytest.approx(weights, abs=0.08)
    assert (curve.ranker, curve.ranker_version, curve.fitted_on) == ("local", "1", "drawn")
    assert curve.rows == 20_000


def test_the_mean_confidence_of_a_fit_is_the_share_that_was_right() -> None:
    x, right = drawn(500, 0.3, [1.0, 0.0, 1.0, 0.0, -1.0])
    assert chances(fitted(x, right), x).mean() == pytest.approx(right.mean(), abs=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_a_fit_of_separable_or_one_sided_outcomes_ends_and_stays_finite(share: float) -> None:
    x = np.zeros((40, 5))
    x[:, 0] = np.linspace(-1, 1, 40)  # the other columns never vary
    right = (np.arange(40) >= 40 * (1 - share)).astype(np.float64)
    curve = fitted(x, right)
    assert np.isfinite([curve.bias, *curve.weights, *curve.mean, *curve.scale]).all()
    assert ((chances(curve, x) > 0.5) == (right > 0.5)).all()
    assert curve.weights[1:] == pytest.approx((0, 0, 0, 0), abs=1e-6)


def test_the_order_of_the_rows_does_not_matter() -> None:
    x, right = drawn(400, 0.0, [1.0, 1.0, 0.0, 0.0, -1.0])
    forwards, backwards = fitted(x, right), fitted(x[::-1], right[::-1])
    assert backwards.weights == pytest.approx(forwards.weights, abs=1e-5)
    assert fitted(x, right) == forwards


# --- what is shipped


@pytest.fixture(scope="module")
def labelled() -> list[LabelledTask]:
    return read_labelled(LABELLED)


def test_a_row_that_weighs_two_counts_as_two_rows() -> None:
    x, right = drawn(300, 0.2, [1.0, -1.0, 0.0, 0.5, 0.0])
    weight = np.where(np.arange(300) < 100, 2.0, 1.0)
    doubled = fitted(np.concatenate([x, x[:100]]), np.concatenate([right, right[:100]]))
    weighed = fitted(x, right, weight)
    # Their means and scales differ, so compare what they say.
    assert chances(weighed, x) == pytest.approx(chances(doubled, x), abs=0.01)


def test_the_shipped_head_and_curves_belong_to_the_shipped_files(catalogue: Catalogue) -> None:
    head = Head.load()
    head.check(catalogue.workflows)  # else: run `make train`
    trained, untrained = Curves.load().curves
    assert trained.ranker_version == version_of(head)
    assert untrained.ranker_version == version_of(None)
    assert HEAD.stat().st_size < 4_000_000


def test_every_workflow_has_at_least_ten_labelled_tasks(
    labelled: list[LabelledTask], catalogue: Catalogue
) -> None:
    counted = Counter(workflow_id for row in labelled for workflow_id in row.accept)
    known = {workflow.workflow_id for workflow in catalogue.workflows}
    assert set(counted) == known
    assert {each: n for each, n in counted.items() if n < 10} == {}


def test_at_least_forty_labelled_tasks_fit_nothing(labelled: list[LabelledTask]) -> None:
    assert sum(not row.accept for row in labelled) >= 40


def test_a_labelled_task_is_of_the_domain_of_its_first_workflow(
    labelled: list[LabelledTask], catalogue: Catalogue
) -> None:
    for row in labelled:
        if row.accept:
            assert row.domain in DOMAINS
            assert row.domain == catalogue.get(row.accept[0]).domain


def normal(text: str) -> str:
    return " ".join(words_of(text.casefold().replace("'", "").replace("’", "")))


def test_no_labelled_title_is_or_nearly_is_what_the_ranker_was_trained_on(
    labelled: list[LabelledTask], catalogue: Catalogue
) -> None:
    """Tasks that the ranker knows by heart would flatter it."""
    by_stem: dict[str, set[str]] = {}
    by_stems: dict[frozenset[str], str] = {}
    known_by_heart = [phrase.title for phrase in phrases_in()]
    known_by_heart += [each for workflow in catalogue.workflows for each in workflow.examples]
    for example in known_by_heart:
        by_stems[frozenset(content_stems(example))] = example
        for stem in content_stems(example):
            by_stem.setdefault(stem, set()).add(normal(example))
    known = []
    for row in labelled:
        own = content_stems(row.title)
        nearby = set[str]().union(*(by_stem.get(stem, set()) for stem in own))
        if near := get_close_matches(normal(row.title), nearby, n=1, cutoff=0.9):
            known.append((row.title, near[0]))
        elif own and (same := by_stems.get(frozenset(own))):
            known.append((row.title, same))
    assert known == []


def test_no_labelled_title_comes_twice(labelled: list[LabelledTask]) -> None:
    counted = Counter(normal(row.title) for row in labelled)
    assert [title for title, n in counted.items() if n > 1] == []
