"""Figures as tables."""

from __future__ import annotations

from collections.abc import Sequence

from ..statistics import Estimate
from .figures import NUMBERS
from .results import Evaluation

#: The figures of a world worth a row, in order.
COLUMNS = (
    'original',
    'mixed_same',
    'mixed_rand',
    'mixed_next',
    'only_fg',
    'only_bg',
    'bg_gap',
    'knn_mixed_rand',
    'fgpref',
)


def cell(name: str, estimate: Estimate | None) -> str:
    """``mean (low–high)`` of a figure; a dash for none."""
    return '-' if estimate is None else estimate.text(2 if name in NUMBERS else 1)


def score_rows(evaluation: Evaluation, names: Sequence[str] = COLUMNS) -> list[list[str]]:
    """A row a figure, a column a label, with a head; figures with their intervals."""
    labels = list(evaluation.labels)
    rows = [
        [name, *(cell(name, evaluation.estimate(label, name)) for label in labels)]
        for name in names
    ]
    return [['', *labels], *rows]


def text_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells in aligned columns."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    return '\n'.join(
        '  '.join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
