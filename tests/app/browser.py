"""A browser on the console, as its users see it: pages, words, buttons."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from streamlit.testing.v1 import AppTest

from core.settings import PROJECT

__all__ = ["PAGES", "Browser"]

PAGES = {
    "recommend": "operate/recommend.py",
    "runs": "operate/runs.py",
    "workflows": "operate/workflows.py",
    "overview": "insight/overview.py",
    "accuracy": "insight/accuracy.py",
    "activity": "insight/activity.py",
    "settings": "admin/settings.py",
    "keys": "admin/keys.py",
    "health": "admin/health.py",
}
_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_BADGE = re.compile(r":[a-z]+-badge\[((?:\\.|[^\]\\])*)\]")
_TEXTS = ("title", "markdown", "caption", "text", "info", "warning", "success", "error")


class Browser:
    """One browser session; every page it draws is drawn without an exception."""

    # Looking for components in all installed packages takes longer than drawing ten pages.
    _components: ClassVar[Any] = None

    def __init__(self, profile: str | None = None, zone: str = "UTC") -> None:
        self.app = AppTest.from_file(str(PROJECT / "pages" / "frame.py"), default_timeout=60)
        self.app._bidi_component_manager = Browser._components
        self.app.context["timezone"] = zone
        if profile:
            self.app.query_params["profile"] = profile

    def open(self, page: str = "recommend", **query: str) -> Browser:
        """Go to a page, with more in its address."""
        self.app.query_params.update(query)
        if page != "recommend" or self.app._registered_pages:
            self.app.switch_page(PAGES[page])
        return self.draw()

    def draw(self) -> Browser:
        self.app.run()
        Browser._components = self.app._bidi_component_manager
        assert [each.message for each in self.app.exception] == []
        return self

    @property
    def said(self) -> str:
        """All that is written on the page, as it reads once its markdown is drawn."""
        parts = [
            _BADGE.sub(r"\1", str(element.value))
            for kind in _TEXTS
            for element in getattr(self.app, kind)
        ]
        # A word joiner, which is not seen, keeps the browser from making links of addresses.
        return "\n".join(_ESCAPED.sub(r"\1", part).replace("\u2060", "") for part in parts)

    @property
    def markdown(self) -> list[str]:
        """Everything that is drawn as markdown, as it is before it is drawn."""
        texts = [str(element.value) for kind in _TEXTS[:3] for element in getattr(self.app, kind)]
        alerts = ("info", "warning", "success", "error")
        texts += [str(element.value) for kind in alerts for element in getattr(self.app, kind)]
        widgets = (*self.app.button, *self.app.checkbox, *self.app.text_input)
        return texts + [str(widget.label) for widget in widgets]

    @property
    def address(self) -> dict[str, Any]:
        return dict(self.app.query_params)

    def buttons(self, label: str) -> list[Any]:
        return [button for button in self.app.button if button.label == label]

    def click(self, label: str, place: int = 0) -> Browser:
        """Click one of the buttons with this label, counted from 0."""
        self.buttons(label)[place].click()
        return self.draw()

    def type(self, key: str, text: str) -> Browser:
        """Type into a text field, without leaving it."""
        self.app.text_input(key=key).set_value(text)
        return self

    def choose(self, key: str, value: object) -> Browser:
        """Choose in a segmented control or among pills."""
        self.app.button_group(key=key).set_value(value)
        return self

    def ask(self, title: str) -> Browser:
        """Type a task and send the form."""
        return self.type("task", title).click("Recommend")

    def use(self, rank: int = 1) -> Browser:
        """Use the workflow of the card at this rank, from 1."""
        return self.click("Use this workflow", rank - 1)
