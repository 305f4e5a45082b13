"""Compare masks with their images from the files' headers alone."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from mmengine.dist import is_main_process
from mmengine.utils import ProgressBar
from PIL import Image

from .mask_reading import mask_size

_T = TypeVar('_T')
_R = TypeVar('_R')

_ORIENTATION = 0x0112
_PROGRESS_FROM = 2000


def run_threaded(
    function: Callable[[_T], _R], items: Sequence[_T], *, threads: int = 8
) -> list[_R]:
    """``[function(item) for item in items]`` in threads; a progress bar for many items."""
    bar = len(items) >= _PROGRESS_FROM and is_main_process()
    progress = ProgressBar(len(items), file=sys.stderr) if bar else None
    results: list[_R] = []
    with ThreadPoolExecutor(threads) as pool:
        for start in range(0, len(items), 1024):
            part = items[start : start + 1024]
            results.extend(pool.map(function, part))
            if progress is not None:
                progress.update(len(part))
    if progress is not None:
        progress.file.write('\n')
    return results


def header_problem(paths: tuple[str, str]) -> str | None:
    """What is wrong with a mask, as far as the headers of two files tell.

    Args:
        paths (tuple[str, str]): Of the image and of the mask.

    Returns:
        str | None: The problem; None when there is none, or when the image's own
        header cannot be read (its decoding will tell).
    """
    image_path, mask_path = paths
    try:
        size = mask_size(mask_path)
    except (OSError, ValueError, Image.DecompressionBombError) as error:
        return f'it cannot be used ({error})'
    try:
        with Image.open(image_path) as image:
            expected = image.size
            # OpenCV, which decodes the images later, turns them as EXIF says
            if image.format == 'JPEG' and image.getexif().get(_ORIENTATION, 1) >= 5:
                expected = expected[::-1]
    except (OSError, ValueError, Image.DecompressionBombError):
        return None
    if size != expected:
        return (
            f'it is {size[0]}x{size[1]} but the image {expected[0]}x{expected[1]} '
            '(width x height): a mask of another image, or made at another size'
        )
    return None


def first_names(names: Iterable[Any], count: int = 3) -> str:
    """The first few names, for a message."""
    names = list(names)
    return ', '.join(str(name) for name in names[:count]) + (', …' if len(names) > count else '')
