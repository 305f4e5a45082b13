"""What became of each image, kept so that no mask is read twice and no kill loses it.

In the report folder of the masks: ``foreground_share.csv`` and ``failures.csv`` hold
the final state, sorted; before a run is complete, each shard appends to a journal of its own.
"""

from __future__ import annotations

import csv
import errno
import io
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType

from bgaug_mm.files import lock, write_bytes

from .mask_maker import Outcome, cannot_write
from .worker_pool import WorkError

SHARES, FAILURES, JOURNALS = 'foreground_share.csv', 'failures.csv', 'journal'

#: Name of the image → share of foreground, or the reason why it has no mask.
State = dict[str, float | str]


class Journal:
    """Appends outcomes to a file, a line each, handed to the system at once.

    Args:
        report (Path): The report folder.
        shard (tuple[int, int]): Whose journal: number from 0 on, and how many.

    Raises:
        WorkError: If another process has it open, or the disk is full.
    """

    def __init__(self, report: Path, shard: tuple[int, int]) -> None:
        path = report / JOURNALS / f'{shard[0]}-of-{shard[1]}.jsonl'
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, 'ab', buffering=0)  # noqa: SIM115
        if not lock(self._file):
            self._file.close()
            raise WorkError(
                f"another process makes these masks ('{path}' is locked): end one of the two, or "
                'give each its part by --shard'
            )
        if self._file.tell():
            self._write(b'\n')  # the last line may have been cut by a kill

    def append(self, outcomes: Iterable[Outcome]) -> None:
        """Add what became of some images."""
        lines = [json.dumps([o.name, o.reason if o.share is None else o.share]) for o in outcomes]
        if lines:
            self._write(''.join(f'{line}\n' for line in lines).encode())

    def _write(self, content: bytes) -> None:
        try:
            if self._file.write(content) != len(content):  # what a disk that gets full does first
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            raise cannot_write(self._file.name, error) from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def read_state(report: Path) -> State:
    """What is known from the journals and the final files.

    A later word of a journal counts; a share counts more than another shard's reason.
    """
    journals: list[State] = []
    # before the final files: these are written before the journals are deleted
    for path in sorted((report / JOURNALS).glob('*.jsonl')):
        journals.append(_read_journal(path))
    state = _read_final(report)
    for journal in journals:
        for name, value in journal.items():
            if not isinstance(value, str) or not isinstance(state.get(name), float):
                state[name] = value
    return state


def _read_journal(path: Path) -> State:
    state: State = {}
    try:
        lines = path.read_bytes().split(b'\n')
    except FileNotFoundError:  # another shard has just completed the run
        return state
    for line in lines:
        try:
            name, value = json.loads(line)
        except ValueError:  # cut by a kill, or empty
            continue
        state[name] = value if isinstance(value, str) else float(value)
    return state


def _read_final(report: Path) -> State:
    state: State = {}
    for name in (FAILURES, SHARES):
        try:
            with open(report / name, encoding='utf-8', errors='surrogateescape', newline='') as f:
                rows = list(csv.reader(f))[1:]
        except FileNotFoundError:
            continue
        for image, value in rows:
            state[image] = value if name == FAILURES else float(value)
    return state


def write_final(report: Path, state: Mapping[str, float | str]) -> None:
    """Write ``foreground_share.csv`` and ``failures.csv``, sorted by name."""
    for name, header, kind in (
        (SHARES, ('image', 'foreground_share'), float),
        (FAILURES, ('image', 'reason'), str),
    ):
        text = io.StringIO(newline='')
        rows = csv.writer(text, lineterminator='\n')
        rows.writerow(header)
        rows.writerows((n, state[n]) for n in sorted(state) if isinstance(state[n], kind))
        write_bytes(report / name, text.getvalue().encode('utf-8', 'surrogateescape'))
