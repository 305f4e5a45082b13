"""Curves over training in a grid of panels, as a PNG."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from bgaug_mm.files import write_bytes

from .bar_chart import COLOURS


class Line(NamedTuple):
    """One curve: x and y of equal length."""

    xs: Sequence[float]
    ys: Sequence[float]
    dashed: bool = False


class Panel(NamedTuple):
    """A small picture of curves, or of bars at x.

    ``lines`` holds group → curves; a group has one colour in all panels, by its
    place among the groups.
    """

    title: str
    lines: Mapping[str, Sequence[Line]]
    x_label: str = 'iteration'
    note: str = ''  # what dashed means, …
    bars: bool = False
    level: float | None = None  # a thin horizontal line


def line_panels(
    panels: Sequence[Panel], path: str | os.PathLike[str], *, title: str = '', columns: int = 2
) -> None:
    """Draw the panels row by row, with one legend of the groups.

    Args:
        panels: What to draw, at least one.
        path: PNG file to write; its folder is made.
        title: Heading. Defaults to none.
        columns: Panels a row. Defaults to 2.

    Raises:
        ValueError: Without panels, or for a curve whose x and y differ in length.
    """
    if not panels:
        raise ValueError('there is nothing to draw: no panels')
    for panel in panels:
        for group, lines in panel.lines.items():
            for line in lines:
                if len(line.xs) != len(line.ys):
                    raise ValueError(
                        f'{panel.title}, {group}: {len(line.xs)} x but {len(line.ys)} y'
                    )
    # Not pyplot: it would choose a backend for the whole process.
    from io import BytesIO

    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import MaxNLocator

    groups = list(dict.fromkeys(group for panel in panels for group in panel.lines))
    colours = {group: COLOURS[i % len(COLOURS)] for i, group in enumerate(groups)}
    rows = math.ceil(len(panels) / columns)
    figure = Figure(
        figsize=(5.2 * min(columns, len(panels)), 2.7 * rows + 0.5), dpi=110, layout='constrained'
    )
    FigureCanvasAgg(figure)
    for index, panel in enumerate(panels):
        axes = figure.add_subplot(rows, min(columns, len(panels)), index + 1)
        width = 0.8 / max(1, len(groups))
        for group, lines in panel.lines.items():
            offset = (groups.index(group) - (len(groups) - 1) / 2) * width
            for line in lines:
                if panel.bars:
                    axes.bar([x + offset for x in line.xs], line.ys, width, color=colours[group])
                else:
                    axes.plot(
                        line.xs,
                        line.ys,
                        '--' if line.dashed else '-',
                        color=colours[group],
                        linewidth=1.4,
                        marker='o' if len(line.xs) == 1 else '',
                    )
        if panel.level is not None:
            axes.axhline(panel.level, color='#555', linewidth=0.8, linestyle=':')
        if panel.bars:
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_title(panel.title, loc='left', fontsize=10)
        axes.set_xlabel(panel.x_label, fontsize=8)
        axes.tick_params(labelsize=8)
        axes.spines[['top', 'right']].set_visible(False)
        if panel.note:
            axes.set_title(panel.note, loc='right', fontsize=8, color='#555')
    if title:
        figure.suptitle(title, x=0.01, ha='left')
    if len(groups) > 1:
        handles = [Line2D([], [], color=colours[group], label=group) for group in groups]
        figure.legend(
            handles=handles, loc='outside lower center', ncols=min(4, len(groups)), frameon=False
        )
    buffer = BytesIO()
    figure.savefig(buffer, format='png')
    write_bytes(Path(path), buffer.getvalue())
