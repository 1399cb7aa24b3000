"""CSV that no spreadsheet takes for a formula, and that reads back as it was."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pages.shared.tables import csv_of

STARTS = "=+-@\t\r\n|%＝＋－＠"


def read(frame: pd.DataFrame) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of(frame).decode("utf-8"), newline="")))


@pytest.mark.parametrize("start", STARTS)
def test_a_field_that_could_be_a_formula_is_disarmed(start: str) -> None:
    text = f"{start}1+1|' /C calc'!A0"
    assert read(pd.DataFrame({"Task": [text]})) == [["Task"], [f"'{text}"]]


@pytest.mark.parametrize(
    "text",
    [
        '=HYPERLINK("http://127.0.0.1", "x")',
        "@SUM(1+1)*cmd|' /C calc'!A0",
        "+49 30 1234",
        "-2+3",
        "%0A",
        "＝1+1",
        "\t=1",
    ],
)
def test_well_known_formulas_are_disarmed(text: str) -> None:
    (_, (field,)) = read(pd.DataFrame({"Task": [text]}))
    assert field == f"'{text}"


@pytest.mark.parametrize(
    "text",
    [
        "fix it",
        "a=b",
        "1-2",
        "'quoted'",
        'say "hello", then go',
        "two\nlines\r\nand a third",
        "semi;colon\tand tab",
        "日本語 עברית 🧑‍🚀 é",
        "\\N",
        "",
        " leading space",
        "#N/A",
    ],
)
def test_any_other_text_reads_back_as_it_was(text: str) -> None:
    assert read(pd.DataFrame({"Task": [text]})) == [["Task"], [text]]


@given(
    st.lists(
        st.tuples(
            st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"])),
            st.integers(),
        ),
        max_size=8,
    )
)
def test_every_table_reads_back_with_nothing_but_quotes_added(
    table: list[tuple[str, int]],
) -> None:
    frame = pd.DataFrame(table, columns=["Task", "Count"])
    found = read(frame)[1:]
    assert len(found) == len(table)
    for (text, count), (said, number) in zip(table, found, strict=True):
        assert said == (f"'{text}" if text.startswith(tuple(STARTS)) else text)
        assert number == str(count)


def test_every_field_is_quoted() -> None:
    frame = pd.DataFrame({"Task": ["a"], "Count": [1], "Share": [0.5], "Useful": [True]})
    assert csv_of(frame) == b'"Task","Count","Share","Useful"\r\n"a","1","0.5","True"\r\n'


def test_numbers_stay_numbers_also_below_zero() -> None:
    frame = pd.DataFrame({"Change": [-3, 4], "Share": [-0.25, float("inf")]})
    assert read(frame)[1:] == [["-3", "-0.25"], ["4", "inf"]]


def test_what_is_missing_is_empty() -> None:
    frame = pd.DataFrame(
        {
            "text": ["a", None],
            "number": [1.5, None],
            "time": [pd.Timestamp("2026-11-02T09:00:00Z"), pd.NaT],
        }
    )
    assert read(frame)[2] == ["", "", ""]


def test_times_carry_their_zone() -> None:
    at = pd.Timestamp(datetime(2026, 10, 25, 0, 30, tzinfo=UTC))
    frame = pd.DataFrame({"Time": pd.Series([at]).dt.tz_convert("Europe/Berlin")})
    assert read(frame)[1] == ["2026-10-25T02:30:00+02:00"]


def test_an_empty_table_is_its_header() -> None:
    assert csv_of(pd.DataFrame(columns=["Time", "Task"])) == b'"Time","Task"\r\n'


def test_ten_thousand_rows_are_written_whole() -> None:
    frame = pd.DataFrame({"Task": [f"task {number}" for number in range(10_000)]})
    found = read(frame)
    assert len(found) == 10_001
    assert found[-1] == ["task 9999"]
