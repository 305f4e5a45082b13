"""Jobs that need each other, worked through several at a time, that can be interrupted."""

from .job import WORK_DIR, Job, digest_name, read_result
from .listing import cores, show_jobs
from .queue import Durations, work_alone, work_through

__all__ = [
    'WORK_DIR',
    'Durations',
    'Job',
    'cores',
    'digest_name',
    'read_result',
    'show_jobs',
    'work_alone',
    'work_through',
]
