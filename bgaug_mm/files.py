"""Whole files or none."""

from __future__ import annotations

import json
import os
import tempfile
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that readers see the old one or the new one; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(prefix=f'.{path.name}.', dir=path.parent)
    try:
        with os.fdopen(handle, 'wb') as file:
            file.write(content)
        os.chmod(temporary, 0o644)  # mkstemp's 0o600 would keep colleagues out
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def write_json(path: Path, value: Any) -> None:
    """Write a value as indented JSON, as :func:`write_bytes` does."""
    write_bytes(path, (json.dumps(value, indent=2) + '\n').encode())


def write_image(path: Path, image: NDArray[np.uint8]) -> None:
    """Write an RGB array (H, W, 3) as PNG, as :func:`write_bytes` does."""
    buffer = BytesIO()
    Image.fromarray(image).save(buffer, 'PNG')
    write_bytes(path, buffer.getvalue())
