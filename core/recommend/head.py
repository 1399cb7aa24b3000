"""The trained part of the local ranker: arrays, with a checksum and what they came from."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from collections.abc import Iterable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.catalogue import Workflow
from core.errors import HeadUnusable
from core.recommend.embedding import Embedder, Floats
from core.recommend.grams import counts, weighted
from core.recommend.seen import Seen
from core.settings import PROJECT

__all__ = [
    "CALIBRATION",
    "HEAD",
    "IMPUTED",
    "JOINED",
    "LEARNT",
    "NONE",
    "RENEW",
    "TRAINING",
    "Head",
    "fingerprint",
]

HEAD = PROJECT / "data" / "head.npz"
CALIBRATION = PROJECT / "data" / "calibration.json"
TRAINING = PROJECT / "data" / "training"
# The class of tasks that no workflow serves; it comes last.
NONE = ""
# How many weights join what is known of a workflow, and of "none"; and what is learnt of a class:
# its log probability, and how alike the text is to its phrases.
JOINED, LEARNT, IMPUTED = 11, 2, 4
RENEW = "Run `make train`; until then the ranker works without it."
CHECKSUM = 16


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """A softmax over the shipped workflows and "none", and how it joins the nearness.

    With c classes: `weights` has shape (512, c), for the embedding; `grams` (buckets, c), for
    hashed words and letters; `bias` (c,); `frequency` (buckets,). `join` has 11 weights and
    `imputed` (2, 4): see `core.recommend.local_ranker`. `phrases` (n,) are those of the
    workflows, with their vectors in steps (n, 512) of a size each (n,): to compute them takes half
    a second. `points` (m, 64) are the phrases it was trained on, in steps of 1/127 along
    `directions` (512, 64), and `labels` (m,) their classes.
    """

    classes: NDArray[np.str_]
    weights: Floats
    grams: NDArray[np.float16]
    bias: Floats
    frequency: Floats
    join: Floats
    imputed: Floats
    phrases: NDArray[np.str_]
    steps: NDArray[np.int8]
    sizes: Floats
    directions: NDArray[np.float16]
    points: NDArray[np.int8]
    labels: NDArray[np.uint8]
    came_from: str

    def seen(self) -> Seen:
        """Return the phrases it was trained on, to be looked up."""
        points = self.points.astype(np.float32)
        points /= np.maximum(np.linalg.norm(points, axis=1, keepdims=True), 1e-9)
        directions = self.directions.astype(np.float32)
        return Seen(directions, points, self.labels.astype(np.intp), len(self.classes))

    def log_chances(self, text: str, vector: Floats) -> Floats:
        """Return shape (c,): the log probability of each class, for a text and its unit vector."""
        buckets, values = weighted(counts(text), self.frequency)
        scores = vector @ self.weights + self.bias
        scores = scores + values @ self.grams[buckets].astype(np.float32)
        shifted = scores - scores.max()
        chances: Floats = shifted - np.log(np.exp(shifted).sum())
        return chances

    @property
    def vectors(self) -> Floats:
        """Shape (n, 512): of the phrases."""
        return self.steps.astype(np.float32) * self.sizes[:, None]

    @property
    def checksum(self) -> str:
        """The first 16 hex digits of a SHA-256 over all arrays and what they came from."""
        digest = hashlib.sha256(self.came_from.encode())
        for name, array in self._arrays().items():
            digest.update(f"{name} {array.dtype.str} {array.shape}".encode())
            digest.update(np.ascontiguousarray(array).tobytes())
        return digest.hexdigest()[:CHECKSUM]

    def check(self, workflows: Iterable[Workflow]) -> None:
        """See that the head came from these workflows and this training data.

        Raises:
            HeadUnusable: it did not.
        """
        known = set(self.classes.tolist())
        own = [each for each in workflows if each.workflow_id in known]
        if fingerprint(own) != self.came_from:
            raise HeadUnusable(f"{HEAD.name} is older than the workflow files. {RENEW}")

    def save(self, path: Path) -> None:
        """Write the arrays; the same arrays give the same bytes."""
        about = json.dumps({"came_from": self.came_from, "checksum": self.checksum})
        packed = io.BytesIO()
        np.savez_compressed(packed, allow_pickle=False, about=np.array(about), **self._arrays())
        path.write_bytes(packed.getvalue())

    @classmethod
    def load(cls, path: Path = HEAD) -> Head:
        """Read a head.

        Raises:
            HeadUnusable: there is none, or it is damaged.
        """
        try:
            packed = io.BytesIO(path.read_bytes())
            with zipfile.ZipFile(packed):  # NumPy stumbles over one that is no archive
                read = np.load(packed, allow_pickle=False)
                about = json.loads(str(read["about"]))
                arrays: dict[str, Any] = {name: read[name] for name in _ARRAYS}
        except FileNotFoundError:
            raise HeadUnusable(f"{path.name} is missing. {RENEW}") from None
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as problem:
            raise HeadUnusable(f"{path.name} is damaged: {problem}. {RENEW}") from None
        head = cls(**arrays, came_from=str(about.get("came_from")))
        if head.checksum != about.get("checksum"):
            raise HeadUnusable(f"{path.name} is damaged: its checksum is wrong. {RENEW}")
        return head

    def _arrays(self) -> dict[str, Any]:
        return {name: getattr(self, name) for name in _ARRAYS}


_ARRAYS = tuple(field.name for field in fields(Head) if field.name != "came_from")


def fingerprint(workflows: Iterable[Workflow]) -> str:
    """Return a hash of all that a head and its curves come from.

    These are the phrases of the workflows, the training files, and the encoder.
    """
    said = sorted(
        [each.workflow_id, each.name, each.description, *each.examples] for each in workflows
    )
    told = json.dumps([Embedder.version(), *said], ensure_ascii=False)
    digest = hashlib.sha256(told.encode())
    for file in sorted(TRAINING.rglob("*.jsonl")):
        digest.update(file.name.encode() + file.read_bytes())
    return digest.hexdigest()
