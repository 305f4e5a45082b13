"""The share of foreground in every mask, remembered in a small file."""

from __future__ import annotations

import csv
import io
import logging
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from bgaug_mm.files import write_bytes

from .mask_checks import run_threaded
from .mask_reading import mask_stamp, read_mask
from .transforms.functional import foreground_share

_HEADER = ['mask', 'bytes', 'mtime_ns', 'foreground_share']


def _measure(path: str) -> float:
    """Share of one mask, in [0, 1]; NaN when it cannot be read."""
    try:
        return foreground_share(read_mask(path))
    except (OSError, ValueError):
        return float('nan')


def _stamp(path: str) -> tuple[int, int]:
    """See :func:`mask_stamp`; zeros for a mask that is not there."""
    try:
        return mask_stamp(path)
    except (OSError, ValueError):
        return 0, 0


def read_shares(cache: str) -> dict[str, tuple[int, int, float]]:
    """What a cache file holds; nothing when there is none or it is not one of ours."""
    shares = {}
    try:
        with open(cache, encoding='utf-8', errors='surrogateescape', newline='') as file:
            rows = csv.reader(file)
            if next(rows, None) != _HEADER:
                return {}
            for path, size, mtime, share in rows:
                shares[path] = int(size), int(mtime), float(share)
    except (OSError, ValueError):
        return {}
    return shares


def write_shares(cache: str, shares: dict[str, tuple[int, int, float]]) -> None:
    """Write a cache file."""
    text = io.StringIO(newline='')
    rows = csv.writer(text)
    rows.writerow(_HEADER)
    rows.writerows((path, *row) for path, row in sorted(shares.items()))
    write_bytes(Path(cache), text.getvalue().encode('utf-8', 'surrogateescape'))


def foreground_shares(paths: Sequence[str], *, cache: str) -> NDArray[np.float64]:
    """Share of foreground of masks, from the cache where the file has not changed.

    Args:
        paths (Sequence[str]): Mask files.
        cache (str): CSV file to read and to bring up to date; it names the masks
            relative to its own folder. A folder that cannot be written to costs a
            warning.

    Returns:
        ndarray: (N,) float64 in [0, 1]; NaN for a mask that cannot be read.
    """
    known = read_shares(cache)
    folder = os.path.dirname(os.path.abspath(cache))
    names = {path: os.path.relpath(path, folder).replace(os.sep, '/') for path in paths}
    stamps = dict(zip(names, run_threaded(_stamp, list(names)), strict=True))
    todo = [path for path in names if known.get(names[path], ())[:2] != stamps[path]]
    for path, share in zip(todo, run_threaded(_measure, todo), strict=True):
        known[names[path]] = (*stamps[path], share)
    if todo:
        try:
            write_shares(cache, known)
        except OSError as error:
            print_log(
                f"the foreground shares could not be kept in '{cache}' ({error}): they will be "
                'computed again next time',
                logger='current',
                level=logging.WARNING,
            )
    return np.array([known[names[path]][2] for path in paths])
