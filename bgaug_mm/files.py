"""Whole files or none."""

from __future__ import annotations

import json
import os
import re
import tempfile
from io import BytesIO
from pathlib import Path
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

_TEMPORARY = re.compile(r'\.(.+)\.[a-z0-9_]{8}')


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # mkstemp's 0o600 would keep colleagues out
        os.replace(temporary, path)
    except BaseException as error:
        Path(temporary).unlink(missing_ok=True)  # interrupted when it had its name already
        if isinstance(error, OSError) and error.errno and error.filename is None:
            error.filename = str(path)  # a full disk does not say what was written
        raise


def temporary_of(name: str) -> str | None:
    """The name of the file that a killed :func:`write_bytes` left unfinished under this one."""
    match = _TEMPORARY.fullmatch(name)
    return match[1] if match else None


def lock(file: IO[bytes]) -> bool:
    """Lock an open file until it is closed; False when another process holds the lock.

    Without locks (some file systems, Windows) it is taken for free.
    """
    try:
        import fcntl

        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except (ImportError, OSError):
        pass
    return True


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, as :func:`write_bytes` does."""
    write_bytes(path, (json.dumps(value, indent=2) + '\n').encode())


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an RGB array (H, W, 3) as PNG, as :func:`write_bytes` does."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, 'PNG')
    write_bytes(path, buffer.getvalue())
