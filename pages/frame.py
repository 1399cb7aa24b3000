"""The entry script: every page is drawn inside this frame."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from pages.shared.session import runtime
from pages.shared.sidebar import sidebar

SHIPPED = Path(__file__).resolve().parents[1] / "data"

st.set_page_config(page_title="Waywarden", page_icon=str(SHIPPED / "favicon.png"), layout="wide")
st.logo(
    str(SHIPPED / "logo.svg"),
    icon_image=str(SHIPPED / "mark.svg"),
    size="large",
)


def to_recommend() -> None:
    """Send who types its name to the first page, which lives at the root."""
    st.switch_page("operate/recommend.py", query_params=dict(st.query_params))


page = st.navigation(
    {
        "Operate": [
            st.Page(
                "operate/recommend.py",
                title="Recommend",
                icon=":material/explore:",
                url_path="start",
                default=True,
            ),
            st.Page(to_recommend, url_path="recommend", visibility="hidden"),
            st.Page("operate/runs.py", title="Runs", icon=":material/checklist:"),
            st.Page("operate/workflows.py", title="Workflows", icon=":material/account_tree:"),
        ],
        "Insight": [
            st.Page("insight/overview.py", title="Overview", icon=":material/monitoring:"),
            st.Page("insight/accuracy.py", title="Accuracy", icon=":material/target:"),
            st.Page("insight/activity.py", title="Activity", icon=":material/list_alt:"),
        ],
        "Admin": [
            st.Page("admin/settings.py", title="Settings", icon=":material/tune:"),
            st.Page("admin/keys.py", title="Keys", icon=":material/key:"),
            st.Page("admin/health.py", title="Health", icon=":material/vital_signs:"),
        ],
    },
    expanded=True,
)
runtime()  # a ledger that cannot be opened is said on the page, and nothing else is drawn
sidebar()
page.run()
