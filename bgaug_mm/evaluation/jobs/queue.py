"""Work through jobs, several at a time."""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn

from bgaug_mm.engine.training_run import TrainingRun
from bgaug_mm.files import lock, write_bytes

from .job import Job

_LOOK_EVERY = 0.5  # seconds
_PRINT_EVERY = 30.0


def work_alone(
    out: Path,
    jobs: Sequence[Job],
    *,
    parallel: int,
    env: Mapping[str, str],
    finished: Callable[[Job], None],
) -> dict[str, str]:
    """As :func:`work_through`, in a folder that no other command works in meanwhile.

    The processes use the source tree that this one uses, if it is one.

    Args:
        out: The folder, made here.
        jobs, parallel, env, finished: As there.

    Raises:
        ValueError: Another command works in it.
    """
    out.mkdir(parents=True, exist_ok=True)
    root = Path(__file__).resolve().parents[3]
    tree = str(root) if (root / 'setup.py').is_file() else None  # not installed
    paths = os.pathsep.join(filter(None, [tree, os.environ.get('PYTHONPATH')]))
    with open(out / '.lock', 'ab') as file:
        if not lock(file):
            raise ValueError(f'another command works in {out}; use --list or --table to look')
        return work_through(
            jobs, parallel=parallel, env={'PYTHONPATH': paths, **env}, finished=finished
        )


def work_through(
    jobs: Sequence[Job],
    *,
    parallel: int,
    env: Mapping[str, str],
    finished: Callable[[Job], None] = lambda job: None,
) -> dict[str, str]:
    """Do all jobs that are not done, in their order, each when what it needs is done.

    A job that fails leaves the others alone; those that need it are left out. Ended from
    outside (an exception, a signal that raises one), it ends the processes; what they
    have done is kept.

    Args:
        jobs: Each behind those that it needs.
        parallel: How many processes at once, at least 1.
        env: Variables added to this process' environment.
        finished: Called for each job that has been done. Defaults to nothing.

    Returns:
        dict[str, str]: Why jobs failed, by their names.
    """
    if parallel < 1:
        raise ValueError(f'`parallel` must be at least 1, but got {parallel}')
    todo = [job for job in jobs if not job.is_done]
    done = {job.name for job in jobs if job.is_done}
    running: dict[str, tuple[Job, TrainingRun]] = {}
    failures: dict[str, str] = {}
    printed, on_terminal = time.time(), sys.stdout.isatty()
    progress = Progress(
        TextColumn('{task.description}'),
        BarColumn(),
        TextColumn('{task.fields[text]}'),
        disable=not on_terminal,
    )
    bar = progress.add_task(f'{len(done)}/{len(jobs)}', total=1.0, text='')
    minutes = Durations(jobs)
    try:
        with progress:
            while todo or running:
                for job in list(todo):
                    if lacking := [name for name in job.needs if name in failures]:
                        failures[job.name] = f'left out: {lacking[0]} failed'
                        todo.remove(job)
                    elif len(running) < parallel and done.issuperset(job.needs):
                        todo.remove(job)
                        running[job.name] = job, _start(job, env)
                time.sleep(_LOOK_EVERY)
                for name, (job, run) in list(running.items()):
                    status = run.poll()
                    if status is None:
                        continue
                    del running[name]
                    if status == 0 and job.is_done:
                        done.add(name)
                        minutes.add(job)
                        finished(job)
                        continue
                    failures[name] = f'ended with status {status}; the end of {job.log}:\n' + (
                        run.tail()
                    )
                    write_bytes(job.failed, failures[name].encode())
                    progress.console.print(f'FAILED {name}: {failures[name]}', markup=False)
                left = minutes.left([*todo, *(job for job, _ in running.values())], running)
                text = f'{left / parallel:.0f} min left'
                progress.update(
                    bar,
                    description=f'{len(done)}/{len(jobs)} done',
                    completed=1 - left / max(minutes.total(jobs), left, 1e-9),
                    text=f'{text} | {_status(running)}',
                )
                if not on_terminal and time.time() - printed >= _PRINT_EVERY:
                    printed = time.time()
                    failed = f', {len(failures)} failed' if failures else ''
                    print(
                        f'{len(done)}/{len(jobs)} done{failed}, {text} | {_status(running)}',
                        flush=True,
                    )
    finally:
        for _, run in running.values():
            run.stop()
    return failures


def _start(job: Job, env: Mapping[str, str]) -> TrainingRun:
    job.failed.unlink(missing_ok=True)
    run = TrainingRun(job.prepare(), log=job.log, epochs=job.length, env=env)
    run.done = job.share_done
    run.start()
    return run


def _status(running: Mapping[str, tuple[Job, TrainingRun]]) -> str:
    return ', '.join(
        f'{name} {run.done:.0%}' if job.run else name for name, (job, run) in running.items()
    )


class Durations:
    """What jobs take on one core, from those that have been timed.

    Args:
        jobs: Those that are done have been.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._known: dict[str, list[float]] = {}
        for job in jobs:
            if job.is_done:
                self.add(job)

    def add(self, job: Job) -> None:
        """Learn from a job that is done; from a world there is nothing to learn."""
        try:
            timed = json.loads(job.done.read_text(encoding='utf-8')).get('seconds')
        except (OSError, ValueError):
            return
        if timed is not None:
            self._known.setdefault(job.like, []).append(timed / 60)

    def of(self, job: Job) -> float:
        """Minutes, from jobs of its kind, else a guess."""
        known = self._known.get(job.like)
        return statistics.mean(known) if known else job.minutes

    def total(self, jobs: Sequence[Job]) -> float:
        """Minutes of all jobs, done or not."""
        return sum(map(self.of, jobs))

    def left(
        self, jobs: Sequence[Job], running: Mapping[str, tuple[Job, TrainingRun]] | None = None
    ) -> float:
        """Minutes of what is not done yet."""
        shares = {name: run.done for name, (_, run) in (running or {}).items()}
        return sum(self.of(job) * (1 - shares.get(job.name, job.share_done)) for job in jobs)
