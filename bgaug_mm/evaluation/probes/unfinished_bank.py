"""A bank of features while it is written: rows are appended, and it can be gone on with.

``features.part`` is an .npy file whose header comes last; ``progress.json`` says how much
of it is valid.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...files import write_bytes, write_json
from .labelled_images import LabelledImages

_HEADER = 128  # bytes before the features, so that their number can be put in last
_SAVE_EVERY = 5.0  # seconds


def where_it_stands(
    folder: Path, settings: dict[str, Any], overwrite: bool
) -> dict[str, Any] | None:
    """Where an interrupted extraction stands, or a fresh start; None: it is finished."""
    fresh: dict[str, Any] = {'done': 0, 'dim': None, 'failures': {}}
    for name in ('manifest.json', 'progress.json'):
        if overwrite:
            (folder / name).unlink(missing_ok=True)
        if not (folder / name).is_file():
            continue
        try:
            found: dict[str, Any] = json.loads((folder / name).read_text(encoding='utf-8'))
            theirs = found['made_with']
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(
                f'{folder / name} is damaged ({error}): choose another folder, or overwrite it'
            ) from error
        differing = [key for key in settings if settings[key] != theirs.get(key)]
        if differing:
            raise ValueError(
                f'the bank {folder} was made with another {", ".join(differing)}: choose another '
                'folder, or overwrite it'
            )
        if name == 'manifest.json':
            return None
        part = folder / 'features.part'
        width = np.dtype(settings['dtype']).itemsize * (found['dim'] or 0)
        needed = _HEADER + width * (found['done'] - len(found['failures'])) if width else 0
        return found if not width or (part.is_file() and part.stat().st_size >= needed) else fresh
    return fresh


class UnfinishedBank:
    """The files of a bank that grows.

    Args:
        folder (Path): Of the bank, which this process has locked.
        settings (dict[str, Any]): What it is made with; `dtype` is used here.
        state (dict[str, Any]): From :func:`where_it_stands`.
    """

    def __init__(self, folder: Path, settings: dict[str, Any], state: dict[str, Any]) -> None:
        self.folder, self.settings = folder, settings
        self.done: int = state['done']
        self.dim: int | None = state['dim']
        #: Reasons by the images' indices.
        self.failures: dict[int, str] = {int(key): why for key, why in state['failures'].items()}
        self.part = folder / 'features.part'
        self._file = open(self.part, 'r+b' if self.dim else 'w+b')  # noqa: SIM115
        self._file.truncate(self._bytes())
        self._file.seek(0, os.SEEK_END)
        self._saved = time.monotonic()

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    @property
    def rows(self) -> int:
        """Images that have a row."""
        return self.done - len(self.failures)

    def _bytes(self) -> int:
        width = np.dtype(self.settings['dtype']).itemsize * (self.dim or 0)
        return _HEADER + width * self.rows if self.dim else 0

    def append(
        self, features: NDArray[np.float32] | None, names: Sequence[str], problems: Sequence[Any]
    ) -> None:
        """Add the rows of a batch.

        Args:
            features: (N, D) of its readable images; None when there is none.
            names: Of all its images.
            problems: For each None, or why it cannot be read.
        """
        if features is not None:
            with np.errstate(over='ignore'):
                rows = features.astype(self.settings['dtype'])
            if not np.isfinite(rows).all():
                good = [name for name, why in zip(names, problems, strict=True) if why is None]
                bad = good[int(np.argmin(np.isfinite(rows).all(1)))]
                raise ValueError(
                    f'the features of {bad} are not finite in {self.settings["dtype"]}: are the '
                    'weights damaged, or is float32 needed?'
                )
            if self.dim is None:
                self.dim = rows.shape[1]
                self._file.write(bytes(_HEADER))
            self._file.write(rows.tobytes())
        self.failures |= {self.done + i: why for i, why in enumerate(problems) if why is not None}
        self.done += len(names)
        if time.monotonic() - self._saved > _SAVE_EVERY:
            self.save()

    def save(self) -> None:
        """From here it goes on after an interruption."""
        self._file.flush()
        os.fsync(self._file.fileno())
        state = {'done': self.done, 'dim': self.dim, 'failures': self.failures}
        write_json(self.folder / 'progress.json', {'made_with': self.settings, **state})
        self._saved = time.monotonic()

    def finish(self, images: LabelledImages) -> None:
        """Write the rest, the manifest last.

        Raises:
            ValueError: If no image could be read.
        """
        if self.dim is None:
            name, why = images.names[0], self.failures[0]
            raise ValueError(
                f'none of the {self.done} images below {images.root} can be read, e.g. '
                f'{name}: {why}'
            )
        self._file.seek(0)
        self._file.write(_header(self.settings['dtype'], self.rows, self.dim))
        self._file.flush()
        os.fsync(self._file.fileno())
        kept = [i for i in range(self.done) if i not in self.failures]
        labels = BytesIO()
        np.save(labels, np.asarray(images.labels, np.int64)[kept])
        write_bytes(self.folder / 'labels.npy', labels.getvalue())
        write_json(self.folder / 'images.json', [images.names[i] for i in kept])
        os.replace(self.part, self.folder / 'features.npy')
        failures = {images.names[i]: why for i, why in sorted(self.failures.items())}
        manifest = {'made_with': self.settings, 'rows': self.rows, 'dim': self.dim}
        write_json(self.folder / 'manifest.json', {**manifest, 'failures': failures})
        (self.folder / 'progress.json').unlink(missing_ok=True)


def _header(dtype: str, rows: int, dim: int) -> bytes:
    """Header of an .npy file, version 1.0, in exactly ``_HEADER`` bytes."""
    text = repr({'descr': np.dtype(dtype).str, 'fortran_order': False, 'shape': (rows, dim)})
    body = text.ljust(_HEADER - 11) + '\n'
    return b'\x93NUMPY\x01\x00' + len(body).to_bytes(2, 'little') + body.encode('ascii')
