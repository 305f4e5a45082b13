"""Times on the CPU, and the events' bookkeeping with a stand-in for CUDA's."""

import time

import pytest
import torch

from bgaug_mm.engine.hard_views.stopwatch import Stopwatch


def test_on_the_cpu():
    watch = Stopwatch()
    assert watch.start(torch.device('cpu')) == 0
    time.sleep(0.02)
    assert 0.02 <= watch.stop() < 2
    assert watch.start(torch.device('cpu')) == 0, 'nothing is counted twice'


def test_on_cuda_one_stretch_later(monkeypatch):
    clock = [0.0]

    class Event:
        def __init__(self, enable_timing):
            assert enable_timing

        def record(self):
            self.at = clock[0]

        def synchronize(self):
            pass

        def elapsed_time(self, other):
            return other.at - self.at

    monkeypatch.setattr(torch.cuda, 'Event', Event)
    watch, device, seen = Stopwatch(), torch.device('cuda'), []
    for milliseconds in (30, 50, 10):
        seconds = watch.start(device)
        clock[0] += milliseconds
        seen.append(seconds + watch.stop())
    assert seen == pytest.approx([0, 0.03, 0.05])
