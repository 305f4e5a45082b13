"""Something to do once, as a process of its own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: Where trainings of a job write, below its folder.
WORK_DIR = 'work_dir'
FAILED = 'failed.txt'


@dataclass(frozen=True, kw_only=True)
class Job:
    """Something to do once.

    Attributes:
        name: For people.
        folder: What it makes; its name ends with a digest of all settings.
        done: A file that is there when it is done; ``seconds`` in it is what it took.
        needs: Names of the jobs before it.
        prepare: Writes what its command reads, and gives the command.
        run: What is trained, whose results are collected; None for what comes before.
        like: Jobs of one kind take about equally long.
        minutes: A guess, until one of the kind has been timed.
        length: Epochs or iterations, for the progress.
    """

    name: str
    folder: Path
    done: Path
    needs: Sequence[str] = ()
    prepare: Callable[[], list[str]]
    run: Any = None
    like: str = ''
    minutes: float = 0.1
    length: int = 1

    @property
    def is_done(self) -> bool:
        return self.done.is_file()

    @property
    def log(self) -> Path:
        return self.folder.with_name(f'{self.folder.name}.log')

    @property
    def failed(self) -> Path:
        """Holds the end of the log after a failure."""
        return self.folder.with_name(f'{self.folder.name}.{FAILED}')

    @property
    def share_done(self) -> float:
        """How much of it is done, in [0, 1], by its last checkpoint."""
        if self.is_done:
            return 1.0
        last = self.folder / WORK_DIR / 'last_checkpoint'
        found = last.is_file() and re.search(r'(?:epoch|iter)_(\d+)\.pth', last.read_text())
        return min(1.0, int(found[1]) / self.length) if found else 0.0


def digest_name(stem: str, *settings: Any) -> str:
    """A folder's name: readable, and another one for other settings."""
    text = json.dumps(settings, sort_keys=True, default=str)
    return f'{stem}-{hashlib.sha256(text.encode()).hexdigest()[:8]}'


def read_result(job: Job) -> dict[str, Any]:
    """What the job wrote when it was done.

    Raises:
        ValueError: It is damaged; it says which file to delete.
    """
    try:
        return dict(json.loads(job.done.read_text(encoding='utf-8')))
    except (ValueError, OSError) as error:
        raise ValueError(f'{job.done} is damaged ({error}); delete it to make it again') from error
