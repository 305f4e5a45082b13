"""A training as a process of its own, watched through its log."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import BinaryIO

# Epoch(train)  [4][ 8/12]  lr: 1.9e-03  eta: 0:03:25  time: … loss: 4.7605
_STEP = re.compile(r'Epoch\(train\)\s+\[\s*(\d+)\]\[\s*(\d+)/(\d+)\]')
# Iter(train) [  25/24000]  lr: …
_ITERATION = re.compile(r'Iter\(train\)\s+\[\s*(\d+)/(\d+)\]')
_ETA = re.compile(r'eta: (?:(\d+) days?, )?(\d+):(\d+):(\d+)')
_LOSS = re.compile(r'\bloss: (\S+)')


class TrainingRun:
    """One process and what its log says about progress.

    Args:
        command: The command that trains; its output goes to ``log``.
        log: Log file, appended to; its folder is made.
        epochs: Number of epochs in all; trainings by iterations tell theirs themselves.
        env: Variables added to this process' environment.
    """

    def __init__(
        self,
        command: Sequence[str],
        *,
        log: str | os.PathLike[str],
        epochs: int,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.command = list(command)
        self.log = Path(log)
        self.epochs = epochs
        self.env = dict(env or {})
        self.process: subprocess.Popen[bytes] | None = None
        #: Share of the training that is done, in [0, 1].
        self.done = 0.0
        #: When the first training step was seen in the log (``time.time()``), or None.
        self.first_step: float | None = None
        #: The last logged loss, as text; '' before the first.
        self.loss = ''
        self._finish: float | None = None
        self._reader: BinaryIO | None = None
        self._rest = b''

    def start(self) -> None:
        """Start the process."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log, 'ab') as output:
            self._reader = open(self.log, 'rb')  # noqa: SIM115  (closed when the process ends)
            self._reader.seek(0, os.SEEK_END)  # what an interrupted run wrote is not ours
            self.process = subprocess.Popen(
                self.command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env={**os.environ, 'PYTHONUNBUFFERED': '1', **self.env},
            )

    def poll(self) -> int | None:
        """Read what is new in the log; the exit status, or None while it runs."""
        if self.process is None:
            return None
        status = self.process.poll()  # before reading: then nothing written is missed
        if self._reader is not None:
            *lines, self._rest = (self._rest + self._reader.read()).split(b'\n')
            for line in lines:
                self._take(line.decode(errors='replace'))
            if status is not None:
                self._reader.close()
                self._reader = None
        if status == 0:
            self.done, self._finish = 1.0, None
        return status

    def seconds_left(self) -> float | None:
        """Estimated by the training itself; None before its first step, 0 when ended."""
        if self.process is not None and self.process.returncode is not None:
            return 0.0
        return None if self._finish is None else max(0.0, self._finish - time.time())

    def stop(self) -> None:
        """End the process if it runs; its data workers end with it."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        if self._reader is not None:
            self._reader.close()
            self._reader = None

    def tail(self, lines: int = 15) -> str:
        """The end of the log."""
        if not self.log.is_file():
            return ''
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-lines:])

    def _take(self, line: str) -> None:
        if step := _STEP.search(line):
            epoch, iteration, per_epoch = (int(group) for group in step.groups())
            self.done = min(1.0, (epoch - 1 + iteration / per_epoch) / self.epochs)
        elif step := _ITERATION.search(line):
            self.done = int(step[1]) / int(step[2])
        else:
            return
        if self.first_step is None:
            self.first_step = time.time()
        if eta := _ETA.search(line):
            days, hours, minutes, seconds = (int(group or 0) for group in eta.groups())
            left = ((days * 24 + hours) * 60 + minutes) * 60 + seconds
            self._finish = time.time() + left
        if loss := _LOSS.search(line):
            self.loss = loss[1]


def train_command(tool: Path, config: Path, *options: str) -> list[str]:
    """The command line of ``tools/train.py`` under this interpreter."""
    return [sys.executable, str(tool), str(config), *options]
