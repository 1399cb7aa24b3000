"""Words and letters of a text, hashed: the same in training and at run time."""

from __future__ import annotations

import numpy as np
import pytest

from core.recommend.grams import BUCKETS, counts, inverse_frequency, weighted


def test_words_and_pairs_of_words_are_counted_whatever_their_case() -> None:
    words, _ = counts("Fix the fix")
    # fix, the, “fix the”, “the fix”; only “fix” comes twice.
    assert sorted(words.values()) == [1, 1, 1, 2]
    assert counts("fix the FIX") == counts("Fix the fix")


def test_letters_are_counted_within_padded_words() -> None:
    _, letters = counts("cat")
    # " ca", "cat", "at " and " cat", "cat ".
    assert letters.total() == 5
    _, short = counts("a")
    assert short.total() == 1  # " a " has three letters: itself, and no four


def test_a_text_hashes_the_same_in_every_process() -> None:
    words, letters = counts("fix")
    assert list(words) == [22859]
    assert len(letters) == 5


def test_frequent_parts_weigh_less_and_rare_ones_nothing() -> None:
    texts = [counts("fix bug"), counts("fix door"), counts("fix door")]
    weights = inverse_frequency(texts)
    (fix,), (door,), (bug,) = (list(counts(word)[0]) for word in ("fix", "door", "bug"))
    assert weights[fix] == pytest.approx(np.log(4 / 4) + 1)
    assert weights[door] == pytest.approx(np.log(4 / 3) + 1)
    assert weights[bug] == 0  # in one text only
    assert weights.shape == (BUCKETS,)


def test_words_and_letters_have_length_one_each() -> None:
    frequency = inverse_frequency([counts("fix the bug")] * 2)
    buckets, values = weighted(counts("fix the the bug"), frequency)
    assert np.linalg.norm(values) == pytest.approx(np.sqrt(2), rel=1e-5)
    assert len(buckets) == len(values)


@pytest.mark.parametrize("text", ["", "   ", "日本語", "🚀", "a" * 5_000, "\ud800"])
def test_any_text_has_a_weight_without_a_fault(text: str) -> None:
    frequency = inverse_frequency([counts("fix")] * 2)
    _, values = weighted(counts(text.encode("utf-8", "replace").decode()), frequency)
    assert np.isfinite(values).all()
