"""The figures of an evaluation against ones computed by hand, and the command that prints them."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from core.catalogue import Catalogue, Task
from core.cli import main
from core.errors import InvalidInput
from core.recommend import (
    Curve,
    Embedder,
    Evaluation,
    LabelledTask,
    Ranked,
    Ranker,
    judge,
    read_labelled,
)
from core.settings import PROJECT

LABELLED = PROJECT / "data" / "labelled.jsonl"
KEYS = [
    "n",
    "n_answerable",
    "top1",
    "domain",
    "hit3",
    "mrr",
    "auroc_none",
    "ece",
    "ece_if_calibrated_95",
    "mean_top_confidence",
    "p50_ms",
    "p99_ms",
]


class Script:
    """A ranking and a first confidence for each title, written by hand."""

    def __init__(
        self, catalogue: Catalogue, answers: dict[str, tuple[Sequence[str], float]]
    ) -> None:
        self._catalogue = catalogue
        self._answers = answers

    def __call__(self, task: Task) -> tuple[list[Ranked], list[float]]:
        ids, confidence = self._answers[task.title]
        ranking = [
            Ranked(self._catalogue.get(each), -place, 0.0, 0.0, 0.0, "")
            for place, each in enumerate(ids)
        ]
        return ranking, [confidence, confidence / 2, confidence / 4]


def row(title: str, *accept: str, domain: str = "") -> LabelledTask:
    return LabelledTask(title=title, accept=accept, domain=domain)


def test_every_figure_is_the_one_computed_by_hand(catalogue: Catalogue) -> None:
    dev = ("bug-fix", "code-refactor", "frontend-component", "backend-api-feature")
    script = Script(
        catalogue,
        {
            "first": (dev, 0.9),  # right at once
            "second": (dev, 0.8),  # right at place 2, in the right domain
            "fourth": (dev, 0.6),  # right at place 4, which is past the three that are shown
            "missing": (dev, 0.5),  # the right one is not ranked at all
            "other": (("meal-planning", *dev), 0.4),  # right at place 2, in another domain
            "none a": (dev, 0.7),  # nothing is right
            "none b": (dev, 0.1),
        },
    )
    figures = judge(
        script,
        [
            row("first", "bug-fix", "meal-planning", domain="dev"),
            row("second", "code-refactor", domain="dev"),
            row("fourth", "backend-api-feature", domain="dev"),
            row("missing", "writing-session", domain="creative"),
            row("other", "bug-fix", domain="dev"),
            row("none a"),
            row("none b"),
        ],
    ).figures
    assert (figures.n, figures.n_answerable) == (7, 5)
    assert figures.top1 == pytest.approx(1 / 5)
    assert figures.domain == pytest.approx(3 / 5)
    assert figures.hit3 == pytest.approx(3 / 5)
    assert figures.mrr == pytest.approx((1 + 1 / 2 + 1 / 4 + 0 + 1 / 2) / 5)
    # Of the 5 x 2 pairs of an answerable and an unanswerable row, the answerable one is surer
    # in 2 + 2 + 1 + 1 + 1 = 7.
    assert figures.auroc_none == pytest.approx(7 / 10)
    # Seven rows are seven bins: only “first” is right.
    gaps = [0.1, 0.7, 0.1, 0.4, 0.5, 0.6, 0.8]
    assert figures.ece == pytest.approx(sum(gaps) / 7)
    assert figures.mean_top_confidence == pytest.approx(4.0 / 7)
    assert 0 < figures.ece_if_calibrated_95 < 1
    assert 0 < figures.p50_ms <= figures.p99_ms


def test_a_perfect_ranking_has_perfect_figures(catalogue: Catalogue) -> None:
    ids = [workflow.workflow_id for workflow in catalogue.workflows]
    script = Script(
        catalogue,
        {each: ([each, *(other for other in ids if other != each)], 1.0) for each in ids},
    )
    rows = [row(each, each, domain=catalogue.get(each).domain) for each in ids]
    figures = judge(script, rows).figures
    assert (figures.top1, figures.domain, figures.hit3, figures.mrr) == (1, 1, 1, 1)
    assert (figures.ece, figures.ece_if_calibrated_95) == (0, 0)
    assert figures.auroc_none is None  # there is no row that nothing fits


def test_rows_that_nothing_fits_alone_have_no_shares(catalogue: Catalogue) -> None:
    script = Script(catalogue, {"hello": (("bug-fix",), 0.2)})
    figures = judge(script, [row("hello")]).figures
    assert (figures.n, figures.n_answerable, figures.top1, figures.mrr) == (1, 0, 0, 0)
    assert figures.auroc_none is None
    assert figures.ece == pytest.approx(0.2)


def test_the_recommender_finds_nine_of_ten_of_our_own_tasks(
    remembering_ranker: Ranker, curve: Curve
) -> None:
    def rank(task: Task) -> tuple[list[Ranked], list[float]]:
        ranking = remembering_ranker.rank(task)
        return ranking, curve.confidences(ranking, 3)

    figures = judge(rank, read_labelled(LABELLED)).figures
    assert figures.top1 >= 0.9
    assert figures.hit3 >= 0.95
    assert figures.auroc_none is not None
    assert figures.auroc_none >= 0.85
    # Our tasks are a little easier than people's own lists, on which the curve is fitted.
    assert figures.ece <= figures.ece_if_calibrated_95 + 0.02


# --- reading a file of labelled tasks


def write(folder: Path, text: str | bytes) -> Path:
    path = folder / "tasks.jsonl"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_row_may_carry_anything_else_and_lines_may_be_empty(tmp_path: Path) -> None:
    path = write(
        tmp_path,
        '{"title": "fix it", "accept": ["bug-fix"], "source": "mail", "n": 3}\r\n'
        "\n   \n"
        '{"title": "one\u2028line\x85still", "description": "d", "domain": "none"}',
    )
    first, second = read_labelled(path)
    assert (first.title, first.description, first.accept, first.domain) == (
        "fix it",
        "",
        ("bug-fix",),
        "",
    )
    assert (second.title, second.accept) == ("one\u2028line\x85still", ())


BAD_FILES = {
    "empty": "",
    "blank": "\n  \n\n",
    "not json": "title,accept\nfix it,bug-fix\n",
    "no object": '["fix it"]\n',
    "a number": "7\n",
    "no title": '{"accept": ["bug-fix"]}\n',
    "accept is text": '{"title": "fix it", "accept": "bug-fix"}\n',
    "accept is null": '{"title": "fix it", "accept": null}\n',
    "title is a number": '{"title": 3, "accept": []}\n',
    "half a line": '{"title": "fix it", "accept": []}\n{"title": "fix',
    "not UTF-8": b"\xff\xfe\x00{",
    "binary": bytes(range(256)),
    "endless nesting": '{"title": "x", "accept": ' + "[" * 100_000 + "\n",
    "an empty task": '{"title": "   ", "accept": ["bug-fix"]}\n',
    "a task too long": json.dumps({"title": "x" * 201, "accept": []}),
}


@pytest.mark.parametrize("text", BAD_FILES.values(), ids=BAD_FILES)
def test_a_bad_file_gives_one_sentence_and_exit_code_1(
    text: str | bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(write(tmp_path, text)), "--json"]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("waywarden: ")
    assert said.err.endswith(".\n")
    assert said.err.count("\n") == 1
    assert "Traceback" not in said.err


def test_a_file_that_is_not_there_gives_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for path in (tmp_path / "nothing.jsonl", tmp_path):
        assert main(["evaluate", str(path)]) == 1
        said = capsys.readouterr()
        assert str(path) in said.err
        assert said.err.count("\n") == 1


def test_a_bad_row_is_named_by_its_line(tmp_path: Path) -> None:
    good = '{"title": "a"}\n\n{"title": "b"}\n'
    for bad in ('{"accept": []}', '{"title": ""}'):
        with pytest.raises(InvalidInput, match="line 4: "):
            read_labelled(write(tmp_path, f"{good}{bad}\n"))


# --- the command


def test_the_command_prints_exactly_the_promised_keys(
    tmp_path: Path,
    embedder: Embedder,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr("core.recommend.Embedder", lambda: embedder)
    lines = LABELLED.read_text(encoding="utf-8").splitlines()
    path = write(tmp_path, "\n".join(lines[:: len(lines) // 8]))
    assert main(["evaluate", str(path), "--json"]) == 0
    said = capsys.readouterr()
    figures = json.loads(said.out)
    assert list(figures) == KEYS == list(Evaluation.model_fields)
    assert (said.out.count("\n"), said.err) == (1, "")
    assert all(isinstance(figures[key], int) for key in KEYS[:2])
    assert all(math.isfinite(figures[key]) for key in KEYS[2:])
    assert main(["evaluate", str(path)]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == KEYS
