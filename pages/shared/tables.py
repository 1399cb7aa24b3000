"""Tables that export: CSV that no spreadsheet takes for a formula."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable

import pandas as pd
import streamlit as st

__all__ = ["csv_of", "export_button", "headed"]

# Full-width forms of = + - @ are folded into the plain ones by some spreadsheets.
_FORMULA_STARTS = tuple("=+-@\t\r\n|%＝＋－＠")


def csv_of(frame: pd.DataFrame) -> bytes:
    """Return UTF-8 CSV with every field quoted and formulas disarmed by a leading quote."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, quoting=csv.QUOTE_ALL)
    writer.writerow(frame.columns)
    for row in frame.itertuples(index=False):
        writer.writerow([_disarmed(value) for value in row])
    return out.getvalue().encode("utf-8")


def export_button(table: Callable[[], pd.DataFrame], name: str, *, disabled: bool) -> None:
    """Offer the table as `<name>.csv`; it is read when it is asked for."""
    st.download_button(
        "Export",
        lambda: csv_of(table()),
        file_name=f"{name}.csv",
        mime="text/csv",
        icon=":material/download:",
        key=f"export-{name}",
        on_click="ignore",
        disabled=disabled,
    )


def headed(title: str, table: pd.DataFrame | None, name: str) -> None:
    """Draw a panel's title, in markdown, and the export of its table unless that is empty."""
    with st.container(horizontal=True, wrap=False, vertical_alignment="center"):
        st.markdown(f"**{title}**", width="stretch")
        if table is not None and len(table):
            export_button(lambda: table, name, disabled=False)


def _disarmed(value: object) -> str:
    if value is None or value is pd.NA or value is pd.NaT or value != value:  # noqa: PLR0124 - NaN
        return ""
    if isinstance(value, pd.Timestamp):
        return value.isoformat()
    text = str(value)
    return f"'{text}" if isinstance(value, str) and text.startswith(_FORMULA_STARTS) else text
