"""The trained head: whole, of these files, or refused with the command that renews it."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from core.catalogue import Catalogue, Workflow, task_from
from core.errors import HeadUnusable
from core.recommend import HEAD, Embedder, Head, LocalRanker, fingerprint


@pytest.fixture(scope="module")
def head() -> Head:
    return Head.load()


def changed(workflow: Workflow, **update: object) -> Workflow:
    return workflow.model_copy(update=update)


def test_a_head_is_read_as_it_was_written_and_the_bytes_are_the_same(
    head: Head, tmp_path: Path
) -> None:
    for name in ("a.npz", "b.npz"):
        head.save(tmp_path / name)
    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()
    again = Head.load(tmp_path / "a.npz")
    assert again.checksum == head.checksum
    assert again.came_from == head.came_from


def test_chances_sum_to_one_and_a_plain_task_has_its_class(head: Head, embedder: Embedder) -> None:
    text = "fix the login bug"
    chances = np.exp(head.log_chances(text, embedder.encode_one(text)))
    assert chances.sum() == pytest.approx(1.0, abs=1e-4)
    assert head.classes[chances.argmax()] == "bug-fix"
    assert head.classes[-1] == ""


def flip_a_byte(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 0xFF]) + data[middle + 1 :]


@pytest.mark.parametrize(
    "damage",
    [flip_a_byte, lambda data: data[: len(data) // 2], lambda _: b"", lambda _: b"PK\x03\x04 no"],
    ids=["a flipped byte", "cut off", "empty", "no archive"],
)
def test_a_damaged_head_is_refused_with_the_command_that_renews_it(
    damage: Callable[[bytes], bytes], tmp_path: Path
) -> None:
    path = tmp_path / "head.npz"
    path.write_bytes(damage(HEAD.read_bytes()))
    with pytest.raises(HeadUnusable, match=r"damaged.*`make train`"):
        Head.load(path)


def test_a_head_whose_numbers_were_changed_is_refused(head: Head, tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    head.save(path)
    with np.load(path) as read:
        arrays = dict(read)
    arrays["bias"] = arrays["bias"] + 1
    np.savez_compressed(path, **arrays)
    with pytest.raises(HeadUnusable, match="checksum"):
        Head.load(path)


def test_pickled_objects_are_never_loaded(tmp_path: Path) -> None:
    path = tmp_path / "head.npz"
    np.savez(path, about=np.array([{"a": 1}], dtype=object))
    with pytest.raises(HeadUnusable, match="damaged"):
        Head.load(path)


def test_a_missing_head_is_said(tmp_path: Path) -> None:
    with pytest.raises(HeadUnusable, match=r"head\.npz is missing\. Run `make train`"):
        Head.load(tmp_path / "head.npz")


@pytest.mark.parametrize(
    "update", [{"examples": ("a new example",)}, {"description": "Other."}, {"name": "Other"}]
)
def test_a_changed_workflow_makes_the_head_stale(
    head: Head, catalogue: Catalogue, update: dict[str, object]
) -> None:
    first, *others = catalogue.workflows
    with pytest.raises(HeadUnusable, match="older than the workflow files"):
        head.check([changed(first, **update), *others])


def test_what_the_head_does_not_come_from_does_not_make_it_stale(
    head: Head, catalogue: Catalogue
) -> None:
    first, *others = catalogue.workflows
    added = changed(first, workflow_id="added-later", examples=("something new",))
    head.check([*reversed(others), added, changed(first, tags=("other",), version="9")])


def test_a_new_line_of_training_changes_the_fingerprint(
    catalogue: Catalogue, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = fingerprint(catalogue.workflows)
    monkeypatch.setattr("core.recommend.head.TRAINING", tmp_path)
    (tmp_path / "more.jsonl").write_text('{"title": "a", "workflow": ""}\n', encoding="utf-8")
    assert fingerprint(catalogue.workflows) != before


@pytest.mark.parametrize("fault", ["stale", "missing", "another curve"])
def test_without_a_usable_head_the_ranker_works_untrained_and_the_log_says_why(
    fault: str,
    catalogue: Catalogue,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def missing() -> Head:
        raise HeadUnusable("head.npz is missing. Run `make train`.")

    shipped = Head.load()
    loaded: dict[str, Callable[[], Head]] = {
        "missing": missing,
        "stale": lambda: replace(shipped, came_from="other files"),
        "another curve": lambda: replace(shipped, bias=shipped.bias + 1),
    }
    monkeypatch.setattr(Head, "load", loaded[fault])
    with caplog.at_level(logging.WARNING):
        ranker = LocalRanker.shipped(catalogue, embedder)
    assert ranker.version == LocalRanker(catalogue, embedder).version == "2"
    assert "`make train`" in caplog.text
    first = ranker.rank(task_from(title="fix the login bug"))[0]
    assert first.workflow.workflow_id == "bug-fix"
