"""The launcher: one ASGI app, for `uvicorn app:app` and `streamlit run app.py` alike."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

from core.runtime import lifespan, routes

app = st.App(Path(__file__).with_name("pages") / "frame.py", routes=routes(), lifespan=lifespan)

if __name__ == "__main__":
    app.run()
