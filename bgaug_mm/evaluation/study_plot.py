"""The picture of a study: seeds as dots, means with their intervals."""

from __future__ import annotations

import os
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from bgaug_mm.files import write_bytes
from bgaug_mm.visualization.bar_chart import COLOURS

from .study_results import Results

_MEASURES = {'net_gap': 'BG-Gap − control', 'bg_gap': 'BG-Gap', 'mixed_rand': 'mixed_rand'}


def plot(results: Results, path: str | os.PathLike[str]) -> None:
    """Draw a column of panels a world: gap and accuracy on random backgrounds, by method.

    Args:
        results: At least one run.
        path: PNG file to write; its folder is made.

    Raises:
        ValueError: Without results.
    """
    study = results.study
    worlds = [world for world in study.worlds if any(place[0] == world for place in results.scores)]
    if not worlds:
        raise ValueError('there is nothing to draw: no results')
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    has_control = any('net_gap' in row and row['net_gap'] is not None
                      for rows in results.scores.values() for row in rows.values())  # fmt: skip
    keys = ['net_gap' if has_control else 'bg_gap', 'mixed_rand']
    arms = [
        name
        for name, arm in study.arms.items()
        if not arm.uniform and any(place[2] == name for place in results.scores)
    ]
    figure = Figure(figsize=(5.6 * len(worlds) + 1, 6.4), dpi=120, layout='constrained')
    FigureCanvasAgg(figure)
    grid = figure.subplots(2, len(worlds), squeeze=False, sharey='row')
    for column, world in enumerate(worlds):
        for axes, key in zip(grid[:, column], keys, strict=True):
            _panel(axes, results, world, arms, key)
        grid[0, column].set_title(world, loc='left')
    handles = {
        label: handle
        for axes in grid.flat
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    figure.legend(
        [handles[arm] for arm in arms if arm in handles],
        [arm for arm in arms if arm in handles],
        loc='outside lower center', ncols=min(5, len(arms)), frameon=False,
    )  # fmt: skip
    figure.suptitle(f'{study.title}: mean, 95 % interval over seeds, and each seed', fontsize=11)
    buffer = BytesIO()
    figure.savefig(buffer, format='png')
    write_bytes(Path(path), buffer.getvalue())


def _panel(axes: Any, results: Results, world: str, arms: list[str], key: str) -> None:
    methods = [method for method in results.study.methods if results.arms(world, method)]
    ends, position = [], 0.0
    for method in methods:
        start = position
        for arm in results.arms(world, method):
            estimate = results.estimate(world, method, arm, key) if arm in arms else None
            if estimate is None:
                continue
            colour = COLOURS[arms.index(arm) % len(COLOURS)]
            # more arms than colours: hollow marks the second time round
            fill = colour if arms.index(arm) < len(COLOURS) else 'white'
            rows = results.scores[world, method, arm]
            values = [value for row in rows.values() if (value := row.get(key)) is not None]
            axes.plot([position] * len(values), values, '.', color=colour, alpha=0.35, zorder=1)
            half = [[0.0], [0.0]]
            if not np.isnan(estimate.low):
                half = [[estimate.mean - estimate.low], [estimate.high - estimate.mean]]
            axes.errorbar(
                [position], [estimate.mean], yerr=half, fmt='o', color=colour, capsize=3,
                markerfacecolor=fill, label=arm,
            )  # fmt: skip
            position += 1
        ends.append((start + position - 1) / 2)
        position += 1
    axes.set_xticks(ends, methods)
    axes.set_ylabel(f'{_MEASURES[key]}, %')
    axes.grid(axis='y', alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    if key != 'mixed_rand':
        axes.axhline(0, color='0.4', linewidth=0.8)
