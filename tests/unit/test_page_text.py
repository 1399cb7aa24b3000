"""Words and numbers as people read them, and untrusted text that stays text."""

from __future__ import annotations

import html
import re
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.text import clock_time, count_of, day_time, duration, escaped, hours, plain

BERLIN = ZoneInfo("Europe/Berlin")
JOINER = "\u2060"
PUNCTUATION = "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"


def read(markdown: str) -> str:
    """What is read of markdown in which every sign is escaped; a word joiner is not seen."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown).replace(JOINER, "")


@given(st.text())
def test_plain_text_reads_as_it_was_typed_on_one_line(text: str) -> None:
    assert read(plain(text)) == " ".join(text.split()).replace(JOINER, "")


@given(st.text(alphabet=st.sampled_from(PUNCTUATION + " ab\n")))
def test_no_sign_of_plain_text_is_left_unescaped(text: str) -> None:
    left = re.sub(r"\\[!-/:-@\[-`{-~]", "", plain(text))
    assert not set(left) & set(PUNCTUATION)
    assert "\n" not in left


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("", ""),
        ("plain words", "plain words"),
        ("![x](http://a.b/c)", rf"\!\[x\]\(http\:{JOINER}\/\/a\.b\/c\)"),
        ("see www.a.b", rf"see www{JOINER}\.a\.b"),
        ("to me@a.b @home", rf"to me{JOINER}\@a\.b \@home"),
        (":red[x] :material/home:", r"\:red\[x\] \:material\/home\:"),
        ("$x^2$ **b** _i_ `c`", r"\$x\^2\$ \*\*b\*\* \_i\_ \`c\`"),
        ("1. one", r"1\. one"),
        ("a\\*b", r"a\\\*b"),
        ("# one\n# two", r"\# one \# two"),
        ("日本語 – “quoted” é", "日本語 – “quoted” é"),
    ],
)
def test_markdown_in_plain_text_is_escaped(text: str, written: str) -> None:
    assert plain(text) == written


@given(st.text())
def test_escaped_text_has_no_markup_and_reads_as_it_was_typed(text: str) -> None:
    said = escaped(text)
    assert html.unescape(said) == html.unescape(html.escape(text))
    assert not set(said) & set("<>\"'")


def test_escaped_text_cannot_leave_an_attribute() -> None:
    assert escaped("\" onload='x' <b>&") == "&quot; onload=&#x27;x&#x27; &lt;b&gt;&amp;"


@pytest.mark.parametrize(
    ("minutes", "said"),
    [
        (0, "0 min"),
        (1, "1 min"),
        (59, "59 min"),
        (60, "1 h"),
        (61, "1 h 1 min"),
        (95, "1 h 35 min"),
        (120, "2 h"),
        (1_440, "24 h"),
        (6_001, "100 h 1 min"),
    ],
)
def test_minutes_are_said_in_hours_from_an_hour_on(minutes: int, said: str) -> None:
    assert duration(minutes) == said


@pytest.mark.parametrize(
    ("value", "said"),
    [(None, "any"), (0.5, "½"), (1.0, "1"), (2, "2"), (2.5, "2.5"), (0.25, "0.25"), (24.0, "24")],
)
def test_hours_are_said_shortly(value: float | None, said: str) -> None:
    assert hours(value) == said


@pytest.mark.parametrize(
    ("count", "said"),
    [(0, "0 steps"), (1, "1 step"), (2, "2 steps"), (1_000, "1,000 steps")],
)
def test_one_is_singular_and_thousands_are_set_apart(count: int, said: str) -> None:
    assert count_of(count, "step") == said


def test_the_time_is_that_of_the_zone_to_the_second() -> None:
    moment = datetime(2026, 10, 25, 0, 59, 59, 999_999, tzinfo=UTC)
    assert clock_time(moment, BERLIN) == "02:59:59"
    assert clock_time(moment + timedelta(microseconds=1), BERLIN) == "02:00:00"
    assert clock_time(moment, ZoneInfo("Asia/Kolkata")) == "06:29:59"


@pytest.mark.parametrize(
    ("moment", "now", "said"),
    [
        ("2026-11-02T09:42", "2026-11-02T20:00", "today 10:42"),
        ("2026-11-01T17:05", "2026-11-02T20:00", "yesterday 18:05"),
        ("2026-11-01T22:59", "2026-11-01T23:00", "yesterday 23:59"),  # midnight in between
        ("2026-11-01T23:00", "2026-11-01T23:01", "today 00:00"),
        ("2026-10-31T22:00", "2026-11-01T22:00", "yesterday 23:00"),
        ("2026-10-30T23:00", "2026-11-01T23:00", "31 Oct 2026, 00:00"),
        ("2025-12-31T23:30", "2026-01-01T22:00", "today 00:30"),
        ("2026-11-03T09:42", "2026-11-02T20:00", "3 Nov 2026, 10:42"),  # ahead of the clock
    ],
)
def test_a_day_is_named_as_people_near_it_do(moment: str, now: str, said: str) -> None:
    at, today = (datetime.fromisoformat(text).replace(tzinfo=UTC) for text in (moment, now))
    assert day_time(at, today, BERLIN) == said
