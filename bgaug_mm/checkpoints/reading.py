"""Checkpoint files, read without running code from them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from ..compat.checkpoints import safe_load

#: In place of a file, where one is asked for: the weights that the initialisation draws.
RANDOM = 'random'


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint file without running code from it.

    Args:
        path (str | PathLike): A file of torch's, or ``.safetensors``.

    Returns:
        dict[str, Any]: What it holds, on the CPU; of a ``.safetensors`` file ``state_dict``
        and, in ``meta``, its metadata.

    Raises:
        FileNotFoundError: If there is no such file.
        CheckpointError: If it is damaged, or loading it could run code.
        ValueError: If it holds something else than a dict.
    """
    if not Path(path).is_file():
        raise FileNotFoundError(f'no checkpoint {path}')
    content = safe_load(path, map_location='cpu')
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}, not a checkpoint')
    return content
