"""Grouped bars of scores, as a PNG."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from bgaug_mm.files import write_bytes

#: Distinguishable with the common colour-vision deficiencies (Okabe and Ito).
COLOURS = ('#0072B2', '#E69F00', '#009E73', '#CC79A7', '#56B4E9', '#D55E00', '#999999')


def bar_chart(
    scores: Mapping[str, Mapping[str, float | None]],
    keys: Sequence[str],
    path: str | os.PathLike[str],
    *,
    title: str = '',
    intervals: Mapping[str, Mapping[str, tuple[float, float]]] | None = None,
) -> None:
    """Draw one group of bars per key, one bar per row.

    Args:
        scores: Row label → key → value in percent, or None (no bar).
        keys: The groups, in order.
        path: PNG file to write; its folder is made.
        title: Heading. Defaults to none.
        intervals: Row label → key → lower and upper end, drawn as error bars where they
            are. Defaults to none.

    Raises:
        ValueError: Without rows or keys.
    """
    if not scores or not keys:
        raise ValueError('a bar chart needs at least one row and one key')
    # Not pyplot: it would choose a backend for the whole process.
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(max(6.0, 1.1 * len(keys)), 4.2), dpi=120, layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    width = 0.8 / len(scores)
    for row, (label, values) in enumerate(scores.items()):
        heights = [values.get(key) for key in keys]
        shown = [(i, height) for i, height in enumerate(heights) if height is not None]
        bars = axes.bar(
            [i + (row - (len(scores) - 1) / 2) * width for i, _ in shown],
            [height for _, height in shown],
            width,
            label=label,
            color=COLOURS[row % len(COLOURS)],
        )
        if intervals is None:
            axes.bar_label(bars, fmt='%.0f', fontsize=8, padding=1)
            continue
        for (place, height), bar in zip(shown, bars, strict=True):
            middle = bar.get_x() + width / 2
            low, high = intervals.get(label, {}).get(keys[place], (height, height))
            axes.errorbar(
                middle, height, [[height - low], [high - height]],
                color='#333', linewidth=1, capsize=3,
            )  # fmt: skip
            axes.annotate(
                f'{height:.0f}', (middle, max(high, 0)), (0, 2), textcoords='offset points',
                ha='center', va='bottom', fontsize=8,
            )  # fmt: skip
    axes.set_xticks(range(len(keys)), keys, rotation=25, ha='right', rotation_mode='anchor')
    axes.set_ylabel('percent')
    axes.set_ylim(bottom=min(0, axes.get_ylim()[0]))
    axes.margins(y=0.12)
    axes.spines[['top', 'right']].set_visible(False)
    if title:
        axes.set_title(title, loc='left')
    if len(scores) > 1:
        figure.legend(loc='outside lower center', ncols=min(4, len(scores)), frameon=False)
    buffer = BytesIO()
    figure.savefig(buffer, format='png')
    write_bytes(Path(path), buffer.getvalue())
