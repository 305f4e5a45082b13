"""What is done and what is left."""

from __future__ import annotations

import os
from collections.abc import Sequence

from .job import Job
from .queue import Durations


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def show_jobs(jobs: Sequence[Job], parallel: int) -> None:
    """Print a line a job, and the time in all."""
    minutes = Durations(jobs)
    for job in jobs:
        share = job.share_done
        state = 'done' if job.is_done else 'FAILED' if job.failed.is_file() else f'{share:.0%}'
        print(f'{state:>6}  {minutes.of(job):5.1f} min  {job.name}  {job.folder}')
    total, left = minutes.total(jobs), minutes.left(jobs)
    done = sum(job.is_done for job in jobs)
    print(
        f'{done} of {len(jobs)} done; {total / 60:.1f} h on one core in all, {left / 60:.1f} h '
        f'left: {left / parallel / 60:.1f} h with {parallel} at a time'
    )
