"""A world onto the disk, whole or not at all."""

from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from .composing import ComposedImage, Triplet

MANIFEST = 'manifest.json'
TRIPLETS = 'triplets.csv'
#: Which background class every image has: columns set, file, background.
BACKGROUNDS = 'backgrounds.csv'
#: SHA-256 of every file but itself, as ``sha256sum --check`` reads it.
SUMS = 'SHA256SUMS'
# Raise when the same options give other files, so that worlds on disk are remade.
_FORMAT = 1


@dataclass(frozen=True)
class WorldFile:
    """A further file of a world."""

    path: str  # below the world
    content: bytes
    pixels: NDArray[np.uint8] | None = None  # of an image, for the manifest's digest


Item = ComposedImage | Triplet | WorldFile


def write_world(
    out: str | os.PathLike[str],
    items: Iterable[Item],
    *,
    maker: str,
    args: Mapping[str, Any],
    notes: Mapping[str, Any] | None = None,
    overwrite: bool = False,
) -> bool:
    """Write a world's images, masks, triplets and manifest, unless it is there.

    Everything is written to a temporary folder beside ``out``, which is then
    renamed, so an interrupted run leaves no half world.

    Args:
        out: The world's folder: ``out/<set>/<class>/*.png``, masks under
            ``out/<set>_masks``, ``triplets.csv`` and ``backgrounds.csv`` (these four for
            a :class:`ComposedImage`), ``manifest.json`` and ``SHA256SUMS``.
        items: The images, triplets and further files; not touched when the world is
            there.
        maker: Name of the tool, for the manifest.
        args: Its options (json values). The world is there when the manifest
            names the same maker and options and no file is missing.
        notes: Further entries of the manifest, such as the classes.
        overwrite: Replace a world made with other options.

    Returns:
        True when the world was written, False when it was there already.

    Raises:
        FileExistsError: When ``out`` holds a world made otherwise and
            ``overwrite`` is off, or holds something that is not a world.
    """
    out = Path(out)
    if _is_there(out, maker, dict(args), overwrite):
        return False

    out.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=f'.{out.name}.', dir=out.parent))
    try:
        temporary.chmod(0o755)  # mkdtemp's 0o700 would keep colleagues out
        _write_files(temporary, items, maker, dict(args), dict(notes or {}))
        if overwrite and (out / MANIFEST).is_file():
            shutil.rmtree(out)
        os.replace(temporary, out)  # an empty folder gives way
    except OSError:
        # Another process may have made the same world in the meantime.
        if not _is_there(out, maker, dict(args), overwrite=False):
            raise
        return False
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return True


def _is_there(out: Path, maker: str, args: dict[str, Any], overwrite: bool) -> bool:
    if not out.exists():
        return False
    if not out.is_dir():
        raise FileExistsError(f'{out} is a file; choose another place for the world')
    path = out / MANIFEST
    if not path.is_file():
        if any(out.iterdir()):
            raise FileExistsError(f'{out} holds files but no {MANIFEST}; choose another folder')
        return False
    try:
        found = json.loads(path.read_text(encoding='utf-8'))
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise FileExistsError(f'{path} is not a manifest of a world; choose another folder')
    if (found.get('maker'), found.get('format'), found.get('args')) == (maker, _FORMAT, args):
        counts = {
            name: sum(path.is_file() for path in (out / name).rglob('[!.]*'))
            for name in found['sets']
        }
        if counts == found['sets']:
            return True
        if not overwrite:
            raise FileExistsError(
                f'{out} misses files: its manifest counts {found["sets"]}, the folder has '
                f'{counts}; add --overwrite to make it again'
            )
    elif not overwrite:
        old = found.get('args') or {}
        differing = {
            key: (old.get(key), args.get(key))
            for key in sorted({*old, *args})
            if old.get(key) != args.get(key)
        }
        raise FileExistsError(
            f'{out} holds a world made otherwise (by {found.get("maker")}, format '
            f'{found.get("format")}; option: (there, now) {differing}); choose another folder '
            'or add --overwrite'
        )
    return False


def _write_files(
    root: Path,
    items: Iterable[Item],
    maker: str,
    args: dict[str, Any],
    notes: dict[str, Any],
) -> None:
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    triplets: list[Triplet] = []
    backgrounds: list[tuple[str, str, str]] = []
    sums: dict[str, str] = {}
    folders: set[Path] = set()

    def write(path: str, content: bytes) -> None:
        file = root / path
        if file.parent not in folders:
            file.parent.mkdir(parents=True, exist_ok=True)
            folders.add(file.parent)
        file.write_bytes(content)
        sums[path] = hashlib.sha256(content).hexdigest()

    def digest_pixels(path: str, pixels: NDArray[np.uint8]) -> None:
        # Over pixels, not file bytes: those change with the image library.
        digest.update(f'{path} {pixels.shape}'.encode())
        digest.update(pixels.tobytes())

    for item in items:
        if isinstance(item, Triplet):
            triplets.append(item)
            continue
        if isinstance(item, WorldFile):
            write(item.path, item.content)
            folder = str(PurePosixPath(item.path).parent)
            if folder != '.':
                counts[folder] += 1
            if item.pixels is not None:
                digest_pixels(item.path, item.pixels)
            continue
        backgrounds.append((item.set_name, item.path, item.background))
        for set_name, pixels in (
            (item.set_name, item.image),
            (f'{item.set_name}_masks', item.mask),
        ):
            buffer = BytesIO()
            Image.fromarray(pixels).save(buffer, 'PNG', compress_level=1)
            write(f'{set_name}/{item.path}', buffer.getvalue())
            digest_pixels(f'{set_name}/{item.path}', pixels)
            counts[set_name] += 1
    if backgrounds:
        write(TRIPLETS, _table([Triplet._fields, *triplets]))
        write(BACKGROUNDS, _table([('set', 'file', 'background'), *backgrounds]))
    manifest = {
        'maker': maker,
        'format': _FORMAT,
        'args': args,
        **notes,
        'sets': dict(counts),
        'sha256_of_pixels': digest.hexdigest(),
    }
    write(MANIFEST, (json.dumps(manifest, indent=2) + '\n').encode())
    lines = (f'{value}  {path}\n' for path, value in sorted(sums.items()))
    (root / SUMS).write_text(''.join(lines), encoding='utf-8')


def _table(rows: Iterable[Iterable[str]]) -> bytes:
    text = StringIO()
    csv.writer(text, lineterminator='\n').writerows(rows)
    return text.getvalue().encode()
