"""From which checkpoint an interrupted run goes on."""

from __future__ import annotations

import logging
from pathlib import Path

from mmengine.logging import print_log

from ..compat.checkpoints import is_complete


def choose_resume_checkpoint(work_dir: str) -> str | None:
    """The checkpoint from which to go on: the last one that is complete.

    A run may die while it writes: mmengine writes checkpoints in place, and
    ``last_checkpoint`` after them. So the one that ``last_checkpoint`` names is taken
    when it is whole, else the newest whole ``*.pth`` of ``work_dir``.

    Returns:
        Its path, or None when there is none (the run then starts from the beginning).
    """
    folder = Path(work_dir)
    note = folder / 'last_checkpoint'
    named = note.read_text(encoding='utf-8').strip() if note.is_file() else ''
    if named and is_complete(named):
        return named
    files = sorted(folder.glob('*.pth'), key=lambda path: path.stat().st_mtime, reverse=True)
    for path in files:
        if is_complete(str(path)):
            print_log(
                f'{named or note} is missing or incomplete; going on from {path}.',
                logger='current',
                level=logging.WARNING,
            )
            return str(path)
    if named or files:
        print_log(
            f'No complete checkpoint in {work_dir}: starting from the beginning.',
            logger='current',
            level=logging.WARNING,
        )
    return None
