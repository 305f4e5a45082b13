"""One job of a transfer: ``python -m bgaug_mm.evaluation.transfer.worker JOB.json``.

Runs a command (a training goes on from its last checkpoint) and notes what it found.
"""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bgaug_mm.files import lock, write_json
from bgaug_mm.visualization.training_log import read_validation, train_minutes

from ..jobs import WORK_DIR
from .plan import METRICS_FILE, RESULT
from .results import METRICS, percent


def main(argv: Sequence[str] | None = None) -> int:
    """Do the job in a file; nothing where it is done. Returns the exit status."""
    (path,) = map(Path, sys.argv[1:] if argv is None else argv)
    job = json.loads(path.read_text(encoding='utf-8'))
    folder = Path(job['folder'])
    with open(folder / f'{RESULT}.lock', 'ab') as file:
        # a process that outlived its parent may be at it: wait for that
        while not lock(file):
            time.sleep(1)
        if (folder / RESULT).is_file():
            return 0
        started = time.time()
        if status := _run(job['command']):
            return status
        result: dict[str, Any] = {'seconds': time.time() - job['started']}
        try:
            # as if never interrupted: the rest, and the training by its log
            minutes = train_minutes(folder / WORK_DIR)
            result['minutes'] = minutes
            result['seconds'] = started - job['started'] + 60 * minutes
        except (KeyError, ValueError):
            pass  # nothing was trained
        if job['metrics']:
            metrics = _metrics(folder)
            if not percent(metrics):
                print(
                    f'no AP: the evaluation gave {", ".join(metrics) or "nothing"}, none of '
                    f'{", ".join(METRICS)}. Either nothing at all was detected, or the config has '
                    'another evaluator',
                    file=sys.stderr,
                )
                return 1
            result['metrics'] = metrics
        write_json(folder / RESULT, result)
    return 0


def _metrics(folder: Path) -> dict[str, float]:
    out = folder / METRICS_FILE
    if out.is_file():
        return dict(json.loads(out.read_text(encoding='utf-8')))
    try:
        return read_validation(folder / WORK_DIR)
    except ValueError:
        return {}


def _run(command: Sequence[str]) -> int:
    """Its exit status; it ends with this process."""
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    before = signal.signal(signal.SIGTERM, lambda *_: process.terminate())
    try:
        return process.wait()
    finally:
        signal.signal(signal.SIGTERM, before)


if __name__ == '__main__':
    sys.exit(main())
