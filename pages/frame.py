"""The entry script: every page is drawn inside this frame."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.shared.session import is_dark, runtime
from pages.shared.sidebar import sidebar

SHIPPED = Path(__file__).resolve().parents[1] / "data"

st.set_page_config(page_title="Waywarden", page_icon=str(SHIPPED / "favicon.png"), layout="wide")
st.logo(
    str(SHIPPED / ("logo-dark.svg" if is_dark() else "logo-light.svg")),
    icon_image=str(SHIPPED / "mark.svg"),
    size="large",
)
page = st.navigation(
    {
        "Operate": [
            st.Page(
                "operate/recommend.py",
                title="Recommend",
                icon=":material/explore:",
                url_path="recommend",
                default=True,
            ),
            st.Page("operate/runs.py", title="Runs", icon=":material/checklist:"),
            st.Page("operate/workflows.py", title="Workflows", icon=":material/account_tree:"),
        ],
        "Insight": [
            st.Page("insight/overview.py", title="Overview", icon=":material/monitoring:"),
            st.Page("insight/activity.py", title="Activity", icon=":material/list_alt:"),
        ],
    },
    expanded=True,
)
runtime()  # a ledger that cannot be opened is said on the page, and nothing else is drawn
sidebar()
page.run()
