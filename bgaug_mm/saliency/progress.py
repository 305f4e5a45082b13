"""Progress with rate and time left: a bar on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import sys
import time
from typing import TextIO

_PRINT_EVERY = 15.0  # seconds
_REDRAW_EVERY = 0.2


class Progress:
    """Shows how far a long job is.

    Args:
        total (int): Number of things to do.
        name (str): What stands before the numbers.
        unit (str): What is counted.
        file (TextIO, optional): Where to. Defaults to None, stderr.
    """

    def __init__(self, total: int, *, name: str, unit: str, file: TextIO | None = None) -> None:
        self.total, self.name, self.unit = total, name, unit
        self.file = sys.stderr if file is None else file
        self.done = 0
        self._start = time.monotonic()
        self._shown = self._start
        self._width = 0

    def advance(self, count: int) -> None:
        """So many more are done."""
        self.done += count
        now = time.monotonic()
        if now - self._shown >= (_REDRAW_EVERY if self.file.isatty() else _PRINT_EVERY):
            self._shown = now
            self._show(self.text())

    def close(self) -> None:
        """Show the end state."""
        self._show(self.text())
        if self.file.isatty():
            self.file.write('\n')

    def text(self) -> str:
        """One line: share done, rate, time left."""
        seconds = time.monotonic() - self._start
        share = self.done / self.total if self.total else 1.0
        text = f'{self.name} {self.done}/{self.total} ({share:.1%})'
        if self.done and seconds > 0:
            rate = self.done / seconds
            left = (self.total - self.done) / rate
            text += f', {rate:.3g} {self.unit}/s, {_clock(left)} left'
        return text

    def _show(self, text: str) -> None:
        if self.file.isatty():
            filled = round(20 * self.done / self.total) if self.total else 20
            text = f'[{"█" * filled}{"·" * (20 - filled)}] {text}'
            self.file.write('\r' + text.ljust(self._width))
            self._width = len(text)
        else:
            self.file.write(text + '\n')
        self.file.flush()


def _clock(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f'{hours}:{minutes:02d}:{seconds:02d}' if hours else f'{minutes}:{seconds:02d}'
