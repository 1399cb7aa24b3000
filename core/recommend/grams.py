"""A text as weighted counts of its words and letter sequences, by feature hashing."""

from __future__ import annotations

import re
import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

__all__ = ["BUCKETS", "Counts", "counts", "inverse_frequency", "weighted"]

BUCKETS = 1 << 15
# A sequence that stands in fewer texts than this says nothing of the others.
LEAST_TEXTS = 2
LETTERS = (3, 4)
_WORD = re.compile(r"\w+")
# Of the words, then of the letters: how often each bucket is hit.
Counts = tuple[Counter[int], Counter[int]]
Floats = NDArray[np.float32]


def counts(text: str) -> Counts:
    """Hash the words, pairs of words, and 3 and 4 letters of each padded word of a text.

    Source: Weinberger et al. (2009), "Feature hashing for large scale multitask learning",
    without the signs.
    """
    low = text.lower()
    words = _WORD.findall(low)
    pairs = [f"{first} {second}" for first, second in pairwise(words)]
    letters = [part for word in low.split() for part in _parts(f" {word} ")]
    return _hashed("w", [*words, *pairs]), _hashed("c", letters)


def inverse_frequency(texts: Sequence[Counts]) -> Floats:
    """Return ln((1 + n) / (1 + texts with the bucket)) + 1 for each bucket, 0 for rare ones."""
    found = np.zeros(BUCKETS)
    for words, letters in texts:
        found[list(words.keys() | letters.keys())] += 1
    weights = np.log((1 + len(texts)) / (1 + found)) + 1
    return np.where(found < LEAST_TEXTS, 0, weights).astype(np.float32)


def weighted(text: Counts, frequency: Floats) -> tuple[NDArray[np.intp], Floats]:
    """Return the buckets of a text and their weights: (1 + ln n) * frequency.

    The words' weights have length 1 together, and so have the letters'; a bucket may come twice.
    """
    buckets, weights = [], []
    for part in text:
        where = np.fromiter(part.keys(), dtype=np.intp, count=len(part))
        times = np.fromiter(part.values(), dtype=np.float32, count=len(part))
        weight = (1 + np.log(times)) * frequency[where]
        buckets.append(where)
        weights.append(weight / max(float(np.linalg.norm(weight)), 1e-9))
    return np.concatenate(buckets), np.concatenate(weights)


def _parts(word: str) -> list[str]:
    """The sequences of a word; the whole where it is too short for two of them."""
    parts: list[str] = []
    for length in LETTERS:
        if len(word) <= length:
            return [*parts, word]
        parts += [word[at : at + length] for at in range(len(word) - length + 1)]
    return parts


def _hashed(kind: str, parts: Iterable[str]) -> Counter[int]:
    # Not `hash`, which differs from process to process.
    return Counter(zlib.crc32(f"{kind}{part}".encode()) % BUCKETS for part in parts)
