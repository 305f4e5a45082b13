"""How long selection takes, without making the host wait for the device."""

from __future__ import annotations

import time
from typing import Any

import torch


class Stopwatch:
    """Times stretches of work that are queued on a device.

    On CUDA the work still runs when it has been queued; its time is known one stretch later.
    """

    def __init__(self) -> None:
        self._started = 0.0
        self._events: list[Any] = []

    def start(self, device: torch.device) -> float:
        """Begin a stretch.

        Args:
            device (torch.device): Where the work will run.

        Returns:
            float: Seconds that the stretch before took on the device; 0 on the CPU, where
            ``stop`` returns them, and for the first one.
        """
        seconds = 0.0
        if self._events:
            first, last = self._events
            last.synchronize()
            seconds = first.elapsed_time(last) / 1000
        self._events = []
        if device.type == 'cuda':
            event: Any = torch.cuda.Event  # untyped
            self._events = [event(enable_timing=True) for _ in range(2)]
            self._events[0].record()
        self._started = time.perf_counter()
        return seconds

    def stop(self) -> float:
        """End it.

        Returns:
            float: Seconds since the start on the CPU; 0 on CUDA.
        """
        if self._events:
            self._events[1].record()
            return 0.0
        return time.perf_counter() - self._started
