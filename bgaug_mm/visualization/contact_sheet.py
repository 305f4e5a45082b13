"""A sheet of small images in labelled columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont


def contact_sheet(
    rows: Sequence[Sequence[NDArray[Any]]],
    titles: Sequence[str] = (),
    *,
    cell: int = 128,
    gap: int = 6,
) -> NDArray[np.uint8]:
    """Lay images out in rows and columns.

    Each image is fitted into a square cell with its aspect kept: enlarged by
    pixel repetition, so that small images show what they are, shrunk smoothly.

    Args:
        rows: Rows of images: (H, W, 3) or (H, W, 1) or (H, W) for grey, uint8
            (masks: 0..255) or bool. RGB in, RGB out. Rows may differ in length.
        titles: Text above the columns; fewer than columns is fine. Defaults to
            none.
        cell: Side of a cell in pixels, at least 8. Defaults to 128.
        gap: White space around cells in pixels, at least 0. Defaults to 6.

    Returns:
        NDArray[np.uint8]: (height, width, 3), RGB.

    Raises:
        ValueError: Without images, for images of another shape or dtype, or
            options out of range.
    """
    columns = max((len(row) for row in rows), default=0)
    if not columns:
        raise ValueError('a contact sheet needs at least one image')
    if cell < 8:
        raise ValueError(f'`cell` must be at least 8, but got {cell}')
    if gap < 0:
        raise ValueError(f'`gap` must be at least 0, but got {gap}')

    head = _lines(titles, cell, gap)
    top = head.shape[0] if titles else 0
    pitch = cell + gap
    width = max(columns, len(titles)) * pitch + gap
    sheet = np.full((top + len(rows) * pitch + gap, width, 3), 255, np.uint8)
    if titles:
        sheet[:top, : head.shape[1]] = head
    for i, row in enumerate(rows):
        for j, image in enumerate(row):
            fitted = _fit(image, cell)
            height, breadth = fitted.shape[:2]
            y = top + gap + i * pitch + (cell - height) // 2
            x = gap + j * pitch + (cell - breadth) // 2
            sheet[y : y + height, x : x + breadth] = fitted
    return sheet


def _fit(image: NDArray[Any], cell: int) -> NDArray[np.uint8]:
    grey = image.ndim == 2 or (image.ndim == 3 and image.shape[2] == 1)
    if not (grey or (image.ndim == 3 and image.shape[2] == 3)) or 0 in image.shape:
        raise ValueError(f'images must be (H, W) or (H, W, 1 or 3), but got {image.shape}')
    if image.dtype == bool:
        image = image.astype(np.uint8) * 255
    if image.dtype != np.uint8:
        raise ValueError(f'images must be uint8 or bool, but got {image.dtype}')
    picture = Image.fromarray(
        np.ascontiguousarray(image.squeeze(2) if image.ndim == 3 and grey else image)
    ).convert('RGB')
    scale = cell / max(picture.size)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    resample = Image.Resampling.NEAREST if scale >= 1 else Image.Resampling.LANCZOS
    return np.asarray(picture.resize(size, resample), dtype=np.uint8)


def _lines(titles: Sequence[str], cell: int, gap: int) -> NDArray[np.uint8]:
    """The headings, one beside the other, wrapped to the width of a cell."""
    font = ImageFont.load_default(size=13)
    draw = ImageDraw.Draw(Image.new('RGB', (1, 1)))

    def wrapped(title: str) -> str:
        lines: list[str] = []
        for word in title.split():
            longer = f'{lines[-1]} {word}' if lines else word
            if lines and draw.textlength(longer, font=font) <= cell:
                lines[-1] = longer
            else:
                lines.append(word)
        return '\n'.join(lines)

    texts = [wrapped(title) for title in titles]
    height = max((len(text.splitlines()) for text in texts), default=0) * 18 + gap
    head = Image.new('RGB', (len(texts) * (cell + gap) + gap, height), 'white')
    draw = ImageDraw.Draw(head)
    for column, text in enumerate(texts):
        draw.multiline_text((gap + column * (cell + gap), gap), text, fill='black', font=font)
    return np.asarray(head, dtype=np.uint8)
