"""The evaluation of masks as tables and pictures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from bgaug_mm.files import write_bytes, write_image, write_json
from bgaug_mm.visualization import bar_chart, contact_sheet

from .evaluator import Evaluation, Pair, read_pair
from .metrics import SUMMARY_KEYS, best_thresholds, difference, summarise
from .sources import MaskSource

#: What the table shows, and its heads.
HEADS = {
    'max_f': 'max F', 'adaptive_f': 'adaptive F', 'mae': 'MAE ↓', 's': 'S', 'max_e': 'max E',
    'adaptive_e': 'adaptive E', 'iou': 'IoU', 'max_iou': 'max IoU', 'harmless': 'harmless',
    'max_harmless': 'harmless, hard', 'untouched': 'untouched',
}  # fmt: skip
#: Whose threshold is that of a hard mask, as `mask_edit=dict(threshold=…)` takes it.
_CUT = ('max_iou', 'max_harmless')
_CHART = ('max_f', 's', 'max_e', 'iou', 'max_iou', 'max_harmless', 'mae')
_IMAGE_COLUMNS = (
    'adaptive_f', 'mae', 's', 'adaptive_e', 'iou', 'kept', 'removed', 'harmless', 'share',
)  # fmt: skip
NOTES = """\
Percent, with 95 % bootstrap intervals over the images. F (β² = 0.3), E, S and MAE by
pysodmetrics, which stretches each map to [0, 1]; max: at the best threshold for all images;
adaptive: at twice the map's mean. IoU: mask and truth cut at one half; max IoU: at the threshold
in brackets. Harmless: a swap with the soft mask keeps ≥ 90 % of the foreground and removes
≥ 90 % of the background; hard: with the mask cut at the threshold in brackets. Untouched: mask
outside 5 to 95 % of the image, so that nothing is swapped. The thresholds were chosen on these
images, for all of them. Time: median, one image at a time, this machine."""


def summary_of(results: Mapping[str, Evaluation]) -> dict[str, dict[str, Any]]:
    """Per source: intervals by key, the best thresholds, median milliseconds an image."""
    return {
        name: {
            **{key: found._asdict() for key, found in summarise(result.scores).items()},
            'thresholds': best_thresholds(result.scores),
            'ms_per_image': 1000 * float(np.median(result.seconds)),
        }
        for name, result in results.items()
    }


def differences_to(
    results: Mapping[str, Evaluation], name: str
) -> dict[str, dict[str, dict[str, float]]]:
    """By how much a source exceeds each other one: paired intervals by key."""
    return {
        other: {
            key: found._asdict()
            for key, found in difference(results[name].scores, result.scores).items()
        }
        for other, result in results.items()
        if other != name
    }


def markdown_table(summary: Mapping[str, Mapping[str, Any]]) -> str:
    """One row a source."""
    heads = ['estimator', *HEADS.values(), 'ms/image']
    lines = [f'| {" | ".join(heads)} |', '|---' + '|--:' * (len(heads) - 1) + '|']
    for name, row in summary.items():
        cells = [_cell(row[key]) for key in HEADS]
        for key in _CUT:
            cells[list(HEADS).index(key)] += f' [{row["thresholds"][key]}]'
        lines.append(f'| {" | ".join([name, *cells, format(row["ms_per_image"], ".0f")])} |')
    return '\n'.join(lines)


def differences_table(differences: Mapping[str, Mapping[str, Any]], name: str) -> str:
    """One row a source that `name` is compared with."""
    lines = [
        f'| {name} minus … | {" | ".join(HEADS.values())} |',
        '|---' + '|--:' * len(HEADS) + '|',
    ]
    for other, row in differences.items():
        cells = (_cell(row[key], signed=True) for key in HEADS)
        lines.append(f'| {other} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def _cell(interval: Mapping[str, float], *, signed: bool = False) -> str:
    form, to = ('+.1f', ' … ') if signed else ('.1f', '–')
    value, low, high = (format(100 * interval[key], form) for key in ('value', 'low', 'high'))
    return f'{value} ({low}{to}{high})'


def write_tables(
    folder: Path,
    summary: Mapping[str, Mapping[str, Any]],
    results: Mapping[str, Evaluation],
    pairs: Sequence[Pair],
    *,
    settings: Mapping[str, Any],
    skipped: Mapping[str, str],
    against: str | None = None,
) -> str:
    """Write results.md, results.json, summary.csv and per_image.csv.

    Args:
        folder: Where.
        summary: What :func:`summary_of` gave.
        results: By name of the source.
        pairs: The images they were scored on.
        settings: What is to be said of the run, for the JSON and the heading.
        skipped: Sources that were not evaluated, and why.
        against: A source that is compared with each other one, in a second table.
            Defaults to None.

    Returns:
        str: The text of results.md.
    """
    said = ', '.join(f'{key} {value}' for key, value in settings.items() if value is not None)
    differences = {} if against is None else differences_to(results, against)
    text = f'{markdown_table(summary)}\n'
    if against is not None and differences:
        text += f'\n{differences_table(differences, against)}\n'
    text += f'\n{said}\n\n{NOTES}\n'
    text += ''.join(f'\nSkipped: {name}: {reason}\n' for name, reason in skipped.items())
    write_bytes(folder / 'results.md', text.encode())
    write_json(
        folder / 'results.json',
        {
            'settings': dict(settings),
            'estimators': summary,
            **({'differences': {against: differences}} if differences else {}),
            'skipped': dict(skipped),
        },
    )
    parts = [(key, end) for key in SUMMARY_KEYS for end in ('value', 'low', 'high')]
    _write_csv(
        folder / 'summary.csv',
        [
            'estimator',
            *(key if end == 'value' else f'{key}_{end}' for key, end in parts),
            *(f'{key}_threshold' for key in _CUT),
            'ms_per_image',
        ],
        [
            [
                name,
                *(row[key][end] for key, end in parts),
                *(row['thresholds'][key] for key in _CUT),
                row['ms_per_image'],
            ]
            for name, row in summary.items()
        ],
    )
    _write_csv(
        folder / 'per_image.csv',
        ['estimator', 'image', *_IMAGE_COLUMNS, 'ms'],
        [
            [
                name,
                pair.name,
                *(float(getattr(scores, key)) for key in _IMAGE_COLUMNS),
                1000 * seconds,
            ]
            for name, result in results.items()
            for pair, scores, seconds in zip(pairs, result.scores, result.seconds, strict=True)
        ],
    )
    return text


def _write_csv(path: Path, head: list[str], rows: list[list[Any]]) -> None:
    text = StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(head)
    writer.writerows(
        [f'{cell:.6g}' if isinstance(cell, float) else cell for cell in row] for row in rows
    )
    write_bytes(path, text.getvalue().encode())


def write_pictures(
    folder: Path,
    summary: Mapping[str, Mapping[str, Any]],
    results: Mapping[str, Evaluation],
    sources: Mapping[str, MaskSource],
    pairs: Sequence[Pair],
    *,
    size: int | None = None,
    cell: int = 144,
) -> None:
    """Write scores.png (bars) and samples.png.

    The samples: a row for each source with its best, median and worst image by IoU,
    each as image, true mask and mask.
    """
    rows, captions = [], []
    for name, result in results.items():
        order = np.argsort([one.iou for one in result.scores], kind='stable')
        row: list[Any] = []
        words: list[str] = []
        for index in (order[-1], order[len(order) // 2], order[0]):
            image, truth = read_pair(pairs[index], size)
            row += [image, truth, sources[name](pairs[index].image, image)]
            words += [
                name,
                pairs[index].name,
                f'IoU {result.scores[index].iou:.2f}',
            ]
        rows.append(row)
        captions.append(words)
    sheet = contact_sheet(
        rows,
        ['image', 'truth', 'mask'] * 3,
        groups=[('best by IoU', 3), ('median', 3), ('worst', 3)],
        captions=captions,
        cell=cell,
    )
    write_image(folder / 'samples.png', sheet)
    bars = {
        HEADS[key]: {name: 100 * row[key]['value'] for name, row in summary.items()}
        for key in _CHART
    }
    title = f'Masks against the truth on {len(pairs)} images, percent'
    bar_chart(bars, list(summary), folder / 'scores.png', title=title)
