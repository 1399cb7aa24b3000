"""How near a text is to each workflow, also when only a few of many are looked at."""

from __future__ import annotations

import numpy as np
import pytest

from core.catalogue import Catalogue
from core.recommend import Embedder, nearness
from core.recommend.nearness import Index, quantized

TEXTS = ("fix the login bug", "plan my week", "dinner for six on friday", "run a 5k before june")


@pytest.fixture(scope="module")
def index(catalogue: Catalogue, embedder: Embedder) -> Index:
    return Index(catalogue.workflows, embedder)


def test_vectors_kept_in_steps_are_off_by_less_than_half_a_step() -> None:
    vectors = np.random.default_rng(1).normal(size=(50, 512)).astype(np.float32)
    steps, sizes = quantized(vectors)
    assert steps.dtype == np.int8
    assert np.abs(steps).max(axis=1).tolist() == [127] * 50
    off = np.abs(steps * sizes[:, None] - vectors)
    assert (off <= sizes[:, None] / 2 + 1e-6).all()
    assert quantized(np.zeros((1, 512), dtype=np.float32))[0].any() == 0


@pytest.mark.parametrize("text", TEXTS)
def test_nearness_is_that_of_the_whole_vectors(
    index: Index, catalogue: Catalogue, embedder: Embedder, text: str
) -> None:
    vector = embedder.encode_one(text)
    near = index.near(text, vector)
    assert near.places.tolist() == list(range(len(catalogue.workflows)))
    for place, workflow in enumerate(catalogue.workflows):
        phrases = [workflow.name, workflow.description, *workflow.examples]
        vectors = embedder.encode_phrases(phrases)
        cosines = vectors @ vector
        centre = vectors.mean(axis=0)
        assert near.centroid[place] == pytest.approx(
            float(centre @ vector / np.linalg.norm(centre)), abs=1e-4
        )
        assert near.examples[place] == pytest.approx(np.sort(cosines)[-3:].mean(), abs=0.005)
        closest = cosines[near.closest[place]]
        assert closest == pytest.approx(cosines.max(), abs=0.01)


def test_a_workflow_with_fewer_than_three_phrases_has_the_mean_of_what_it_has(
    catalogue: Catalogue, embedder: Embedder
) -> None:
    bare = catalogue.get("bug-fix").model_copy(update={"examples": ()})
    index = Index([bare, catalogue.get("meal-planning")], embedder)
    vector = embedder.encode_one("fix the login bug")
    both = embedder.encode_phrases([bare.name, bare.description]) @ vector
    found = index.near("fix the login bug", vector).examples[0]
    assert found == pytest.approx(both.mean(), abs=0.005)


@pytest.mark.parametrize("text", TEXTS)
def test_of_many_only_the_nearest_centres_and_rarest_words_are_looked_at(
    index: Index,
    catalogue: Catalogue,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    text: str,
) -> None:
    vector = embedder.encode_one(text)
    every = index.near(text, vector)
    monkeypatch.setattr(nearness, "SHORTLIST", 8)
    monkeypatch.setattr(nearness, "BY_CENTRE", 6)
    monkeypatch.setattr(nearness, "BY_WORDS", 2)
    few = Index(catalogue.workflows, embedder).near(text, vector)
    assert 6 <= len(few.places) <= 8
    assert set(np.argsort(-every.centroid)[:6]) <= set(few.places.tolist())
    assert int(every.bm25.argmax()) in few.places
    # Each is as near as when all are looked at.
    for name in ("centroid", "examples", "bm25", "closest"):
        assert getattr(few, name) == pytest.approx(getattr(every, name)[few.places], abs=1e-5)
