"""The picture of a study: seeds as dots, means with their intervals."""

from __future__ import annotations

import os
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np

from bgaug_mm.files import write_bytes
from bgaug_mm.visualization.bar_chart import COLOURS

from .results import Results

_MEASURES = {'net_gap': 'BG-Gap − control', 'bg_gap': 'BG-Gap', 'mixed_rand': 'mixed_rand'}


def plot_study(results: Results, path: str | os.PathLike[str]) -> None:
    """Draw a column of panels a world.

    Gap and accuracy on random backgrounds by method and arm; below, where there are
    runs on other masks, their accuracy.

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

    shown = [
        name
        for name, arm in study.arms.items()
        if not arm.uniform and any(place[2] == name for place in results.scores)
    ]
    arms = [name for name in shown if study.arms[name].masks is None]
    masked = [name for name in shown if study.arms[name].masks is not None]
    has_control = any(
        row.get('net_gap') is not None for rows in results.scores.values() for row in rows.values()
    )
    keys = ['net_gap' if has_control else 'bg_gap', 'mixed_rand']
    rows = len(keys) + bool(masked)
    figure = Figure(
        figsize=(max(7.5, 5.5 * len(worlds)), 2.9 * rows + 0.8), dpi=120, layout='constrained'
    )
    FigureCanvasAgg(figure)
    grid = figure.subplots(rows, len(worlds), squeeze=False, sharey='row')
    for column, world in enumerate(worlds):
        for axes, key in zip(grid[:, column], keys, strict=False):
            _panel(axes, results, world, arms, key)
        if masked:
            _mask_panel(grid[-1, column], results, world, arms, masked)
        grid[0, column].set_title(world, loc='left')
    handles = {
        label: handle
        for axes in grid[: len(keys)].flat
        for handle, label in zip(*axes.get_legend_handles_labels(), strict=True)
    }
    known = [arm for arm in arms if arm in handles]
    figure.legend(
        [handles[arm] for arm in known], known,
        loc='outside lower center', ncols=max(1, min(6, len(known))), frameon=False,
    )  # fmt: skip
    figure.suptitle(f'{study.title}: mean, 95 % interval, seeds', fontsize=11)
    buffer = BytesIO()
    figure.savefig(buffer, format='png')
    write_bytes(Path(path), buffer.getvalue())


def _panel(axes: Any, results: Results, world: str, arms: Sequence[str], key: str) -> None:
    """Arms side by side, in groups of one method."""
    ticks: dict[float, str] = {}
    position = 0
    for method in results.study.methods:
        start = position
        for arm in arms:
            if _mark(axes, results, (world, method, arm), key, position, arms.index(arm)):
                position += 1
        if position > start:
            ticks[(start + position - 1) / 2] = method
            position += 1
    _finish(axes, key, ticks, position)


def _mask_panel(
    axes: Any, results: Results, world: str, arms: Sequence[str], masked: Sequence[str]
) -> None:
    """The base, exact masks and the others side by side."""
    ticks: dict[float, str] = {}
    position, study = 0, results.study
    for method in study.methods:
        if not any((world, method, arm) in results.scores for arm in masked):
            continue
        exact = masked[0].rpartition('.')[0]
        for arm in (study.base, exact, *masked):
            colour = arms.index(arm) if arm in arms else -1  # grey
            if _mark(axes, results, (world, method, arm), 'mixed_rand', position, colour):
                ticks[position] = 'exact' if arm == exact else arm.rpartition('.')[2]
                position += 1
        position += 1
    _finish(axes, 'mixed_rand', ticks, position)
    axes.tick_params(axis='x', rotation=40)
    axes.set_xlabel('masks', fontsize=9)


def _mark(
    axes: Any, results: Results, place: tuple[str, str, str], key: str, at: float, colour: int
) -> bool:
    """A mean, its interval and the seeds; False when there is none."""
    estimate = results.estimate(*place, key)
    if estimate is None:
        return False
    values = [
        value for row in results.scores[place].values() if (value := row.get(key)) is not None
    ]
    paint = COLOURS[colour % len(COLOURS)]
    half = [[0.0], [0.0]]
    if not np.isnan(estimate.low):
        half = [[estimate.mean - estimate.low], [estimate.high - estimate.mean]]
    axes.plot([at + 0.22] * len(values), values, '.', color=paint, alpha=0.5, markersize=4)
    axes.errorbar(
        [at], [estimate.mean], yerr=half, fmt='o', color=paint, capsize=3, markersize=5,
        label=place[2],
    )  # fmt: skip
    return True


def _finish(axes: Any, key: str, ticks: dict[float, str], end: float) -> None:
    axes.set_xticks(list(ticks), list(ticks.values()))
    axes.set_xlim(-0.8, max(end - 1.2, 0.8))
    axes.set_ylabel(f'{_MEASURES[key]}, %')
    axes.grid(axis='y', alpha=0.3)
    axes.spines[['top', 'right']].set_visible(False)
    if key != 'mixed_rand':
        axes.axhline(0, color='0.4', linewidth=0.8)
