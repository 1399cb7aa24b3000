"""Whether a phrase of an outline occurs in the words of a task."""

from __future__ import annotations

import pytest

from core.catalogue import any_occurs, forms


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("tax", "file taxes"),
        ("party", "parties"),
        ("expense", "my expenses"),
        ("run", "running late"),
        ("plan", "we planned it"),
        ("box", "two boxes"),
        ("dish", "wash the dishes"),
        ("credit card", "both credit cards"),
        ("kid", "the kid's room"),
        ("boxing", "boxing class"),
        ("saving", "savings account"),
        ("über", "ÜBER"),
    ],
)
def test_a_phrase_occurs_in_any_inflection(phrase: str, text: str) -> None:
    assert any_occurs([phrase], forms(text)) == phrase


@pytest.mark.parametrize(
    ("phrase", "text"),
    [
        ("import", "important"),
        ("expense", "expensive"),
        ("boxing", "the box"),
        ("credit card", "card credit"),
        ("credit card", "credit my card"),
        ("cat", "catalogue"),
        ("organ", "organize"),
        ("", "anything"),
        ("x", ""),
    ],
)
def test_a_phrase_does_not_occur_in_another_word(phrase: str, text: str) -> None:
    assert any_occurs([phrase], forms(text)) is None


def test_words_may_stand_between_those_of_a_phrase_where_a_gap_is_allowed() -> None:
    said = forms("buy a few seeds")
    assert any_occurs(["buy seeds"], said) is None
    assert any_occurs(["buy seeds"], said, gap=1) is None
    assert any_occurs(["buy seeds"], said, gap=2) == "buy seeds"
    assert any_occurs(["seeds buy"], said, gap=2) is None
