"""Scalars that a training wrote."""

from __future__ import annotations

import json
import os
import statistics
from pathlib import Path

Scalars = dict[str, tuple[list[int], list[float]]]
_NO_METRICS = ('data_time', 'time', 'step')


def find_logs(path: str | os.PathLike[str]) -> list[Path]:
    """The ``scalars.json`` files of a run, oldest first.

    Args:
        path: Such a file, or a work dir (one file for each start of the run) or any
            folder inside it that holds them.

    Raises:
        ValueError: There is none.
    """
    path = Path(path)
    if path.is_file():
        return [path]
    logs = sorted(path.rglob('vis_data/scalars.json')) or sorted(path.glob('scalars.json'))
    if not logs:
        raise ValueError(
            f'{path} is neither a scalars.json nor a work dir with '
            '<time>/vis_data/scalars.json, which tools/train.py writes'
        )
    return logs


def read_scalars(path: str | os.PathLike[str]) -> Scalars:
    """Training scalars by name, as (steps, values) in the order of the steps.

    A resumed run continues the first one's lines: what was logged again takes the
    place of what was logged before. A last line cut short by an interruption is left
    out, as are lines without a step (validation).

    Raises:
        ValueError: There is no log (:func:`find_logs`), or a line is not JSON.
    """
    steps: dict[int, dict[str, float]] = {}
    for log in find_logs(path):
        lines = log.read_text(encoding='utf-8').splitlines()
        for number, line in enumerate(lines, 1):
            try:
                row = json.loads(line)
            except ValueError as error:
                if number == len(lines):
                    break
                raise ValueError(f'{log}, line {number}: not JSON ({error})') from error
            if isinstance(row, dict) and 'step' in row and 'loss' in row:
                steps[int(row['step'])] = {
                    name: float(value)
                    for name, value in row.items()
                    if isinstance(value, (int, float))
                }
    scalars: Scalars = {}
    for step in sorted(steps):
        for name, value in steps[step].items():
            xs, ys = scalars.setdefault(name, ([], []))
            xs.append(step)
            ys.append(value)
    return scalars


def read_validation(path: str | os.PathLike[str]) -> dict[str, float]:
    """What the last evaluation of a training found, by name.

    Raises:
        ValueError: There is no log (:func:`find_logs`), or no evaluation in it.
    """
    found: dict[str, float] = {}
    for log in find_logs(path):
        for line in log.read_text(encoding='utf-8').splitlines():
            try:
                row = json.loads(line)
            except ValueError:
                continue  # cut short by an interruption
            if isinstance(row, dict) and 'loss' not in row:
                numbers = {k: float(v) for k, v in row.items() if isinstance(v, (int, float))}
                found = {k: v for k, v in numbers.items() if k not in _NO_METRICS} or found
    if not found:
        raise ValueError(f'{path}: the log has no evaluation')
    return found


def train_minutes(path: str | os.PathLike[str]) -> float:
    """Duration of a whole training: iterations times their median time, in minutes.

    The median, so that neither the first iterations nor an interruption counts.

    Raises:
        ValueError: As :func:`read_scalars`.
    """
    steps, times = read_scalars(path)['time']
    return steps[-1] * statistics.median(times) / 60
