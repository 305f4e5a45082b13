"""Tasks in processes: results, and every way in which a process can end."""

import os
import signal
import threading
from functools import partial
from operator import itemgetter

import cv2
import pytest

from bgaug_mm.saliency.worker_pool import WorkError, run_tasks


def handing(function):
    """Makes that function; picklable by workers that cannot import this module."""
    return partial(itemgetter(0), (function,))


def test_in_this_process() -> None:
    assert [*run_tasks(handing(abs), [-1, 2, -3], workers=1)] == [1, 2, 3]
    assert [*run_tasks(handing(abs), [], workers=1)] == []


def test_one_thread_while_it_runs() -> None:
    before = cv2.getNumThreads()
    cv2.setNumThreads(3)
    try:
        seen = [cv2.getNumThreads() for _ in run_tasks(handing(abs), [1], workers=1)]
        assert seen == [1]
        assert cv2.getNumThreads() == 3
    finally:
        cv2.setNumThreads(before)


def test_failure_in_this_process() -> None:
    with pytest.raises(WorkError, match="ValueError: invalid literal .* 'x'"):
        list(run_tasks(handing(int), ['1', 'x'], workers=1))


def test_in_processes() -> None:
    before = {**os.environ}
    results = [*run_tasks(handing(abs), range(-20, 0), workers=2)]
    assert sorted(results) == [*range(1, 21)]
    assert {**os.environ} == before
    # tasks are taken one by one, not all at once
    taken = []
    tasks = (taken.append(i) or i for i in range(100))
    results = run_tasks(handing(abs), tasks, workers=2)
    next(results)
    assert len(taken) < 10
    results.close()  # ends the workers


def test_failure_in_a_process() -> None:
    with pytest.raises(WorkError, match="ValueError: invalid literal .* 'x'"):
        list(run_tasks(handing(int), ['1', 'x', '2'], workers=2))
    with pytest.raises(WorkError, match='worker process was killed .SIGKILL; .*memory'):
        list(run_tasks(handing(signal.raise_signal), [9] * 8, workers=2))
    with pytest.raises(WorkError, match=r'worker process ended unexpectedly \(status 3\)'):
        list(run_tasks(handing(os._exit), [3] * 8, workers=2))


def test_workers_end_with_this_process() -> None:
    # the parent's death closes its end of the connection, as closing it does here
    from multiprocessing import Pipe

    from bgaug_mm.saliency import worker_pool

    ours, theirs = Pipe()
    handler = signal.getsignal(signal.SIGINT)
    done = []
    try:
        ours.send(-1)
        timer = threading.Timer(0.2, ours.close)
        timer.start()
        worker_pool._work(theirs, handing(lambda task: done.append(task)))
        timer.join()
    finally:
        signal.signal(signal.SIGINT, handler)
        cv2.setLogLevel(3)
    assert done == [-1]
