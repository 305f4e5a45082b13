"""A sheet of small images in labelled columns."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

#: Frame of a marked image: orange, told from red and green by all (Okabe and Ito).
MARK = (213, 94, 0)
_FRAME = 3  # pixels


def contact_sheet(
    rows: Sequence[Sequence[NDArray[Any] | None]],
    titles: Sequence[str] = (),
    *,
    groups: Sequence[tuple[str, int]] = (),
    captions: Sequence[Sequence[str]] = (),
    marked: Collection[tuple[int, int]] = (),
    cell: int = 128,
    gap: int = 6,
) -> NDArray[np.uint8]:
    """Lay images out in rows and columns.

    Each image is fitted into a square cell with its aspect kept: enlarged by
    pixel repetition, so that small images show what they are, shrunk smoothly.

    Args:
        rows: Rows of images: (H, W, 3) or (H, W, 1) or (H, W) for grey, uint8
            (masks: 0..255) or bool; None leaves a cell empty. RGB in, RGB out.
            Rows may differ in length.
        titles: Text above the columns; fewer than columns is fine. Defaults to
            none.
        groups: Text above the titles, each with the number of columns it spans; a
            rule separates them. Defaults to none.
        captions: Text under the images, in rows like theirs. Defaults to none.
        marked: (row, column) of images that get an orange frame in the gap around
            them. Defaults to none.
        cell: Side of a cell in pixels, at least 8. Defaults to 128.
        gap: White space around cells in pixels, at least 0. Defaults to 6.

    Returns:
        NDArray[np.uint8]: (height, width, 3), RGB.

    Raises:
        ValueError: Without images, for images of another shape or dtype, or
            options out of range.
    """
    columns = max((len(row) for row in rows), default=0)
    if not any(image is not None for row in rows for image in row):
        raise ValueError('a contact sheet needs at least one image')
    if cell < 8:
        raise ValueError(f'`cell` must be at least 8, but got {cell}')
    if gap < 0:
        raise ValueError(f'`gap` must be at least 0, but got {gap}')

    pitch = cell + gap
    columns = max(columns, len(titles), sum(span for _, span in groups))
    width = columns * pitch + gap
    heads = [_group_line(groups, pitch, gap, width)] if groups else []
    heads += [_text_line(titles, cell, gap, width)] if any(titles) else []
    parts = [*heads, np.full((gap, width, 3), 255, np.uint8)]
    tops = []
    for i in range(len(rows)):
        tops.append(sum(len(part) for part in parts))
        parts.append(np.full((pitch, width, 3), 255, np.uint8))
        if i < len(captions) and any(captions[i]):
            parts.append(_text_line(captions[i], cell, gap, width, size=11))
    sheet = np.concatenate(parts)
    frame = min(_FRAME, gap)
    for i, (top, row) in enumerate(zip(tops, rows, strict=True)):
        for j, image in enumerate(row):
            if image is None:
                continue
            fitted = _fit(image, cell)
            height, breadth = fitted.shape[:2]
            y, x = top + (cell - height) // 2, gap + j * pitch + (cell - breadth) // 2
            if (i, j) in marked:
                sheet[y - frame : y + height + frame, x - frame : x + breadth + frame] = MARK
            sheet[y : y + height, x : x + breadth] = fitted
    at = gap // 2
    for _, span in groups[:-1]:
        at += span * pitch
        sheet[:, at] = 170
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


def _wrapped(text: str, font: Any, room: int) -> str:
    """Text broken between words; a word that is too long is broken as well."""
    lines: list[str] = []
    for word in text.split():
        longer = f'{lines[-1]} {word}' if lines else word
        if lines and font.getlength(longer) <= room:
            lines[-1] = longer
            continue
        while len(word) > 1 and font.getlength(word) > room:
            fits = next(
                n for n in range(len(word), 0, -1) if font.getlength(word[:n]) <= room or n == 1
            )
            lines.append(word[:fits])
            word = word[fits:]
        lines.append(word)
    return '\n'.join(lines)


def _text_line(
    texts: Sequence[str], cell: int, gap: int, width: int, *, size: int = 13
) -> NDArray[np.uint8]:
    """Texts one beside the other, each wrapped to the width of a cell."""
    font = ImageFont.load_default(size=size)
    wrapped = [_wrapped(text, font, cell) for text in texts]
    rows = max(len(text.splitlines()) for text in wrapped)
    line = Image.new('RGB', (width, rows * (size + 5) + gap), 'white')
    draw = ImageDraw.Draw(line)
    for column, text in enumerate(wrapped):
        draw.multiline_text((gap + column * (cell + gap), 0), text, fill='black', font=font)
    return np.asarray(line, dtype=np.uint8)


def _group_line(
    groups: Sequence[tuple[str, int]], pitch: int, gap: int, width: int
) -> NDArray[np.uint8]:
    """Headings over several columns each."""
    font = ImageFont.load_default(size=15)
    texts = [_wrapped(text, font, span * pitch - gap) for text, span in groups]
    rows = max(len(text.splitlines()) for text in texts)
    line = Image.new('RGB', (width, rows * 20 + 2 * gap), 'white')
    draw, x = ImageDraw.Draw(line), gap
    for text, (_, span) in zip(texts, groups, strict=True):
        draw.multiline_text((x, gap), text, fill='black', font=font)
        x += span * pitch
    return np.asarray(line, dtype=np.uint8)
