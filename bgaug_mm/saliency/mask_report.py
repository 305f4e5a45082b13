"""What a run made: statistics of the foreground shares, their histogram, a sheet to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.datasets.mask_store import MaskFolder, read_mask
from bgaug_mm.files import write_image, write_json
from bgaug_mm.visualization.contact_sheet import contact_sheet
from bgaug_mm.visualization.line_panels import Line, Panel, line_panels

from .image_list import Item
from .reading import ImageError, read_image

SUMMARY, HISTOGRAM, SAMPLES = 'summary.json', 'foreground_share.png', 'samples.png'

_LOW, _HIGH = 0.05, 0.95
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
_PAIRS = 3  # image and mask, side by side in a row of the sheet


def share_summary(state: Mapping[str, float | str]) -> dict[str, Any]:
    """Counts, and statistics of the foreground shares.

    Args:
        state (Mapping): Image → share in [0, 1], or a reason.

    Returns:
        dict: ``images``, ``masks``, ``failures``; and ``foreground_share``, unless
        there is no mask: ``mean``, ``std``, ``p5`` … ``p95``, and the shares of masks
        with less than 5 % and with more than 95 % foreground.
    """
    shares = np.array([v for _, v in sorted(state.items()) if not isinstance(v, str)])
    result: dict[str, Any] = {
        'images': len(state),
        'masks': len(shares),
        'failures': len(state) - len(shares),
    }
    if len(shares):
        quantiles = np.quantile(shares, _QUANTILES)
        numbers = {
            'mean': shares.mean(),
            'std': shares.std(),
            **{f'p{q * 100:.0f}': v for q, v in zip(_QUANTILES, quantiles, strict=True)},
            'masks_below_5_percent': (shares < _LOW).mean(),
            'masks_above_95_percent': (shares > _HIGH).mean(),
        }
        result['foreground_share'] = {key: round(float(v), 6) for key, v in numbers.items()}
    return result


def summary_text(summary: Mapping[str, Any]) -> str:
    """A few lines for the terminal."""
    lines = [f'{summary["masks"]} masks of {summary["images"]} images']
    if summary['failures']:
        lines[0] += f', {summary["failures"]} images failed'
    share = summary.get('foreground_share')
    if share:
        quantiles = ', '.join(f'{share[f"p{q * 100:.0f}"]:.1%}' for q in _QUANTILES)
        lines += [
            f'foreground: mean {share["mean"]:.1%}; 5/25/50/75/95 % quantiles: {quantiles}',
            f'masks with less than 5 % foreground: {share["masks_below_5_percent"]:.1%}, '
            f'with more than 95 %: {share["masks_above_95_percent"]:.1%}',
        ]
    return '\n'.join(lines)


def write_report(
    folder: Path,
    items: Sequence[Item],
    state: Mapping[str, float | str],
    store: MaskFolder,
    *,
    title: str,
    samples: int = 24,
) -> dict[str, Any]:
    """Write ``summary.json``, ``foreground_share.png`` and ``samples.png``.

    Args:
        folder (Path): Where to.
        items (Sequence[Item]): The images.
        state (Mapping): Name of the image → share of foreground, or a reason.
        store (MaskFolder): Finds the masks by the images' names.
        title (str): Heading of the histogram.
        samples (int): Images on the sheet, drawn with a fixed seed. Defaults to 24.

    Returns:
        dict: What :func:`share_summary` gives.
    """
    summary = share_summary(state)
    write_json(folder / SUMMARY, summary)
    made = [item for item in items if not isinstance(state[item.name], str)]
    if made:
        _histogram(folder / HISTOGRAM, [float(state[item.name]) for item in made], title)
        chosen = np.random.default_rng(0).permutation(len(made))[:samples]
        write_image(folder / SAMPLES, _sheet([made[i] for i in chosen], store))
    return summary


def _histogram(path: Path, shares: Sequence[float], title: str) -> None:
    counts, edges = np.histogram(np.multiply(shares, 100), bins=100, range=(0, 100))
    line = Line([float(x) for x in (edges[:-1] + edges[1:]) / 2], [float(n) for n in counts])
    line_panels(
        [Panel(title, {'masks': [line]}, x_label='foreground, % of the pixels', bars=True)], path
    )


def _sheet(items: Sequence[Item], store: MaskFolder) -> NDArray[np.uint8]:
    cells: list[NDArray[np.uint8] | None] = []
    captions: list[str] = []
    for item in items:
        try:
            cells += [_small(read_image(item.path)), _small(_mask(item, store))]
        except (ImageError, OSError, ValueError):  # taken away since
            cells += [None, None]
        name = item.name.encode('utf-8', 'replace').decode()
        captions += ['/'.join(name.split('/')[-2:]), '']
    if all(cell is None for cell in cells):
        cells[0] = np.full((1, 1), 255, np.uint8)
    width = 2 * _PAIRS
    starts = range(0, len(cells), width)
    return contact_sheet(
        [cells[i : i + width] for i in starts],
        ['image', 'mask'] * min(_PAIRS, len(items)),
        captions=[captions[i : i + width] for i in starts],
    )


def _mask(item: Item, store: MaskFolder) -> NDArray[np.uint8]:
    return read_mask(store.locate(item.name) or '')


def _small(image: NDArray[np.uint8], side: int = 256) -> NDArray[np.uint8]:
    """Reduced, so that a sheet of large photos does not fill the memory."""
    scale = side / max(image.shape[:2])
    if scale >= 1:
        return image
    size = [max(1, round(length * scale)) for length in image.shape[1::-1]]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA), dtype=np.uint8)
