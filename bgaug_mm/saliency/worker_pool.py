"""Work handed to processes of this machine, whose death is noticed in both directions."""

from __future__ import annotations

import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar, cast

T = TypeVar('T')
R = TypeVar('R')
Make = Callable[[], Callable[[T], R]]

_AHEAD = 2  # tasks a worker is given at once, so that it never waits for the next
_THREADS = (
    'OMP_NUM_THREADS',
    'MKL_NUM_THREADS',
    'OPENBLAS_NUM_THREADS',
    'NUMBA_NUM_THREADS',
)


class WorkError(RuntimeError):
    """Something that no other task would survive either; its text is for the user."""


def run_tasks(
    make: Make[T, R], tasks: Iterable[T], *, workers: int, preload: Sequence[str] = ()
) -> Iterator[R]:
    """Results of the tasks, in the order in which they are finished.

    Each process computes with one thread. One that is killed, and a task that raises,
    ends the run with :class:`WorkError`; when this process is killed, the workers end
    after the task they are at.

    Args:
        make: Called once in each process; makes what turns a task into its result. It,
            tasks and results must be picklable.
        tasks: What there is to do.
        workers: Number of processes; 1 works in this one.
        preload: Modules to import once for all of them. Defaults to none.

    Raises:
        WorkError: A task or ``make`` failed, or a worker was killed.
    """
    if workers == 1:
        yield from _in_this_process(make, tasks)
        return
    # Not fork: it copies locks of threads that do not exist in the copy.
    methods = multiprocessing.get_all_start_methods()
    context: Any = multiprocessing.get_context('forkserver' if 'forkserver' in methods else 'spawn')
    if context.get_start_method() == 'forkserver':
        context.set_forkserver_preload([__name__, *preload])
    waiting = iter(tasks)
    busy: dict[Connection, list[Any]] = {}  # connection → process, number of its tasks
    processes = []
    try:
        with _one_thread_each():
            for _ in range(workers):
                ours, theirs = context.Pipe()
                process = context.Process(target=_work, args=(theirs, make), daemon=True)
                process.start()
                theirs.close()  # the worker's death must end the connection
                processes.append(process)
                busy[ours] = [process, 0]
        for connection in [*busy] * _AHEAD:
            _hand_out(connection, waiting, busy)
        while any(count for _, count in busy.values()):
            ready = wait([c for c, (_, count) in busy.items() if count])
            for connection in cast('list[Connection]', ready):
                try:
                    failed, result = connection.recv()
                except (EOFError, OSError):
                    raise WorkError(_how_it_ended(busy[connection][0])) from None
                if failed:
                    raise WorkError(result)
                busy[connection][1] -= 1
                _hand_out(connection, waiting, busy)
                yield result
    finally:
        for process in processes:  # at once: files are whole or not there
            process.terminate()
        for process in processes:
            process.join()


@contextmanager
def _one_thread_each() -> Iterator[None]:
    """For processes started meanwhile: libraries read these when they are loaded."""
    before = {name: os.environ.get(name) for name in _THREADS}
    os.environ.update(dict.fromkeys(_THREADS, '1'))
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


def _hand_out(connection: Connection, waiting: Iterator[T], busy: dict[Connection, Any]) -> None:
    for task in waiting:
        try:
            connection.send(task)
        except OSError:
            raise WorkError(_how_it_ended(busy[connection][0])) from None
        busy[connection][1] += 1
        return


def _how_it_ended(process: Any) -> str:
    process.join(5)
    code = process.exitcode
    if code is not None and code < 0:
        name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
        text = f'a worker process was killed ({name}'
        text += '; the system does that when memory runs out)' if name == 'SIGKILL' else ')'
    else:
        text = f'a worker process ended unexpectedly (status {code})'
    return f'{text}. Run the same command again to go on; try fewer workers or smaller batches'


def _in_this_process(make: Make[T, R], tasks: Iterable[T]) -> Iterator[R]:
    import cv2
    import torch

    before = cv2.getNumThreads(), torch.get_num_threads()
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    try:
        handle = make()
        for task in tasks:
            try:
                result = handle(task)
            except WorkError:
                raise
            except Exception as error:
                raise WorkError(''.join(traceback.format_exception(error))) from error
            yield result
    finally:
        cv2.setNumThreads(before[0])
        torch.set_num_threads(before[1])


def _work(connection: Connection, make: Make[T, R]) -> None:
    """A worker's life; it ends when the connection does."""
    import cv2
    import torch

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C: the main process tidies up
    cv2.setNumThreads(1)
    cv2.setLogLevel(0)  # broken images are told apart by their results
    torch.set_num_threads(1)
    handle = None
    while True:
        try:
            task = connection.recv()
        except (EOFError, OSError):
            return
        answer: tuple[bool, Any]
        try:
            handle = handle or make()
            answer = False, handle(task)
        except WorkError as error:
            answer = True, str(error)
        except BaseException:
            answer = True, traceback.format_exc()
        try:
            connection.send(answer)
        except OSError:
            return
