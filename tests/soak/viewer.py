"""A viewer of the console who speaks Streamlit's own protocol, without the cost of a browser."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect

PATIENCE_S = 20.0


class Viewer:
    """One session on one page; it searches as a person does who types into the search field."""

    def __init__(self, socket: ClientConnection, page: str, search_label: str) -> None:
        self._socket = socket
        self._page = page
        self._page_hash = ""
        self._search_label = search_label
        self._search_id = ""
        self._run(BackMsg())

    def search(self, words: str) -> float:
        """Type words and return the milliseconds until the page has run and all of it is here."""
        message = BackMsg()
        widget = message.rerun_script.widget_states.widgets.add()
        widget.id, widget.string_value = self._search_id, words
        since = time.perf_counter()
        self._run(message)
        return (time.perf_counter() - since) * 1e3

    def _run(self, message: BackMsg) -> None:
        state = message.rerun_script
        state.page_name, state.page_script_hash = self._page, self._page_hash
        self._socket.send(message.SerializeToString())
        while True:
            said = ForwardMsg()
            said.ParseFromString(self._socket.recv(PATIENCE_S))
            kind = said.WhichOneof("type")
            if kind == "navigation":
                self._page_hash = said.navigation.page_script_hash
            elif kind == "delta":
                field = said.delta.new_element.text_input
                if field.label == self._search_label:
                    self._search_id = field.id
            elif kind == "script_finished":
                assert said.script_finished == ForwardMsg.FINISHED_SUCCESSFULLY
                return


@contextmanager
def viewing(port: int, page: str, search_label: str) -> Iterator[Viewer]:
    """Open a page as a session of its own, and leave it at the end."""
    address = f"ws://127.0.0.1:{port}/_stcore/stream"
    with connect(address, max_size=None, compression=None, proxy=None) as socket:
        yield Viewer(socket, page, search_label)
