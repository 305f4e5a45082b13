"""Run trainings side by side and show how far they are."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping

from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn

from .training_run import TrainingRun

_LOOK_EVERY = 0.5  # seconds
_PRINT_EVERY = 15.0


def follow(
    runs: Mapping[str, TrainingRun],
    *,
    jobs: int,
    started: float,
    meanwhile: Callable[[], None] = lambda: None,
) -> None:
    """Train to the end, at most ``jobs`` at once.

    Shows one bar for all runs on a terminal, and a line every 15 s elsewhere, with
    the time left; says when the first training step was seen.

    Args:
        runs: Trainings by name, not started.
        jobs: How many run at once, at least 1.
        started: When the user's command began, ``time.time()``.
        meanwhile: Called once, when the first step has been seen. Defaults to
            nothing.

    Raises:
        RuntimeError: If a training fails, with the end of its log; the others are
            ended.
    """
    waiting, first_step, printed = list(runs), False, 0.0
    on_terminal = sys.stdout.isatty()
    bar = Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn('{task.fields[left]}'),
        disable=not on_terminal,
    )
    task = bar.add_task('starting', total=len(runs), left='')
    try:
        with bar:
            while True:
                active = [run for run in runs.values() if _runs(run)]
                for name in waiting[: max(0, jobs - len(active))]:
                    runs[name].start()
                    waiting.remove(name)
                time.sleep(_LOOK_EVERY)
                for name, run in runs.items():
                    status = run.poll()
                    if status:
                        raise RuntimeError(
                            f'the training {name} failed with status {status}; the end of '
                            f'{run.log}:\n{run.tail()}'
                        )
                seen = [run.first_step for run in runs.values() if run.first_step]
                if seen and not first_step:
                    first_step = True
                    bar.console.print(
                        f'First training steps after {min(seen) - started:.0f} s', highlight=False
                    )
                    meanwhile()
                done = sum(run.done for run in runs.values())
                text, left = _status(runs), _left(runs, jobs)
                bar.update(task, completed=done, description=text, left=left)
                finished = not waiting and not any(_runs(run) for run in runs.values())
                if not on_terminal and (finished or time.time() - printed >= _PRINT_EVERY):
                    printed = time.time()
                    print(f'{text} | {100 * done / len(runs):.0f} %, {left}', flush=True)
                if finished:
                    return
    finally:
        for run in runs.values():
            run.stop()


def _runs(run: TrainingRun) -> bool:
    return run.process is not None and run.process.returncode is None


def _status(runs: Mapping[str, TrainingRun]) -> str:
    texts = []
    for name, run in runs.items():
        loss = f' loss {run.loss}' if run.loss else ''
        texts.append(f'{name} {run.done * run.epochs:.1f}/{run.epochs} epochs{loss}')
    return ' | '.join(texts)


def _left(runs: Mapping[str, TrainingRun], jobs: int) -> str:
    """Time left of all runs; runs that have not begun are taken to last like the others."""
    known = {name: run.seconds_left() for name, run in runs.items()}
    if any(left is None and runs[name].process is not None for name, left in known.items()):
        return 'starting'
    started = {name: left for name, left in known.items() if left is not None}
    if not started:
        return 'starting'
    seconds = max(started.values())
    not_begun = len(runs) - len(started)
    if not_begun:
        lengths = [
            left / (1 - runs[name].done) for name, left in started.items() if runs[name].done < 1
        ]
        if not lengths:
            return 'starting'
        seconds += not_begun * max(lengths) / jobs
    return f'{int(seconds) // 60}:{int(seconds) % 60:02d} left'
