"""An evaluation as tables in Markdown: overall, by domain, and what is taken for what."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from core.recommend.evaluation import Judged, LabelledTask
from core.recommend.recommendation import FITS_FROM
from core.statistics import wilson_interval

__all__ = ["report_of"]

MOST_CONFUSIONS = 8
NOTHING = "nothing fits"
# Who reads as much takes the workflow without a second thought.
WELL_SURE = 0.7


def report_of(rows: Sequence[LabelledTask], judged: Judged) -> str:
    """Return the figures of an evaluation with Wilson's 95 % intervals; no times, they vary."""
    return "\n".join(
        [*_overall(rows, judged), "", *_domains(rows, judged), "", *_mixed_up(judged)]
    )


def _overall(rows: Sequence[LabelledTask], judged: Judged) -> list[str]:
    figures = judged.figures
    of_none = judged.confidence[[not row.accept for row in rows]]
    sure = judged.confidence >= 0.9  # noqa: PLR2004 - the “90 % match” of the page
    n = figures.n_answerable
    table = _table(
        ("Of these tasks", "share", "95 % interval", "n"),
        [
            ("first suggestion right", *_share(round(figures.top1 * n), n)),
            ("right one among three", *_share(round(figures.hit3 * n), n)),
            ("domain of the first right", *_share(round(figures.domain * n), n)),
            (
                "nothing fits, and said so (below 50 %)",
                *_share(int((of_none < FITS_FROM).sum()), len(of_none)),
            ),
            (
                "nothing fits, yet 70 % or more was claimed",
                *_share(int((of_none >= WELL_SURE).sum()), len(of_none)),
            ),
            (
                "right where 90 % or more was claimed",
                *_share(int(judged.right[sure].sum()), int(sure.sum())),
            ),
        ],
    )
    told = (
        f"Calibration error {figures.ece:.3f}; a perfectly calibrated ranker would stay below "
        f"{figures.ece_if_calibrated_95:.3f} in 95 of 100 such samples. Mean reciprocal rank "
        f"{figures.mrr:.3f}."
    )
    if figures.auroc_none is not None:
        told += f" Area under the ROC curve of “nothing fits” {figures.auroc_none:.3f}."
    return [*table, "", told]


def _domains(rows: Sequence[LabelledTask], judged: Judged) -> list[str]:
    found: dict[str, list[float]] = {}
    for row, right in zip(rows, judged.right, strict=True):
        if row.accept:
            found.setdefault(row.domain, []).append(float(right))
    return _table(
        ("Domain", "first right", "95 % interval", "n"),
        ((domain, *_share(int(sum(each)), len(each))) for domain, each in sorted(found.items())),
    )


def _mixed_up(judged: Judged) -> list[str]:
    pairs = Counter(
        (miss.accept[0] if miss.accept else NOTHING, miss.first)
        for miss in judged.misses
        if miss.accept or miss.confidence >= FITS_FROM
    )
    ordered = sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0]))
    return _table(
        ("Meant", "suggested first", "times"),
        ((meant, first, str(times)) for (meant, first), times in ordered[:MOST_CONFUSIONS]),
    )


def _share(hits: int, n: int) -> tuple[str, str, str]:
    low, high = wilson_interval(hits, n)
    share = f"{hits / n:.1%}" if n else "–"
    return share, f"{low:.1%} to {high:.1%}", str(n)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    rule = " | ".join(["---"] + ["---:"] * (len(head) - 1))
    return [
        f"| {' | '.join(head)} |",
        f"| {rule} |",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
