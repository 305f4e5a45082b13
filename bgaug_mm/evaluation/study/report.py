"""The tables of a study in Markdown."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..markdown_table import markdown_table
from ..statistics import Estimate
from .results import Results

#: Columns of the tables: score → heading.
COLUMNS = {
    'original': 'original',
    'mixed_same': 'mixed_same',
    'mixed_rand': 'mixed_rand',
    'only_fg': 'only_fg',
    'only_bg': 'only_bg',
    'bg_gap': 'BG-Gap',
    'net_gap': 'BG-Gap − control',
}
_MORE = {'knn_mixed_rand': 'k-NN mixed_rand', 'fgpref': 'fgpref'}
_SPREAD = {'projection_spread': 'spread'}


def markdown(results: Results) -> str:
    """All tables of what is there so far."""
    study = results.study
    masked = [name for name, arm in study.arms.items() if arm.masks is not None]
    parts = [f'# {study.title}', _reading(results)]
    for world in study.worlds:
        methods = [method for method in study.methods if results.arms(world, method)]
        if not methods:
            continue
        rows, differences = [], []
        for method in methods:
            for arm in results.arms(world, method):
                if arm in masked:
                    continue
                label = [method, arm, _seeds(results, world, method, arm)]
                estimate = _getter(results.estimate, world, method, arm)
                rows.append([*label, *map(_cell, map(estimate, [*COLUMNS, *_MORE, *_SPREAD]))])
                if arm != study.base and not study.arms[arm].uniform:
                    difference = _getter(results.difference, world, method, arm)
                    closed = results.closed(world, method, arm)
                    found = [difference(key) for key in [*COLUMNS, *_MORE]]
                    if any(found):
                        label[2] = str(max(one.count for one in found if one))
                        differences.append([*label, *map(_bold, found), _cell(closed)])
        head = ['', '', 'seeds', *COLUMNS.values(), *_MORE.values()]
        parts += [f'## {world}', markdown_table([[*head, *_SPREAD.values()], *rows])]
        if differences:
            parts += [
                f'Minus {study.base}, paired over the seeds; bold where the interval does not '
                'contain zero. The last column is how much of its BG-Gap − control is closed:',
                markdown_table([[*head, 'closed, %'], *differences]),
            ]
        parts += _mask_tables(results, world, methods, masked)
    return '\n\n'.join(parts) + '\n'


def _mask_tables(
    results: Results, world: str, methods: Sequence[str], masked: Sequence[str]
) -> list[str]:
    parts = []
    for method in methods:
        present = [arm for arm in masked if arm in results.arms(world, method)]
        if not present:
            continue
        exact = present[0].rpartition('.')[0]
        keys = ('mixed_rand', 'net_gap' if results.study.control else 'bg_gap')
        head = [
            '', 'seeds', 'IoU', 'kept', 'removed',
            *(COLUMNS[key] for key in keys),
            *(f'{COLUMNS[key]}, minus {results.study.base}' for key in keys),
            f'mixed_rand, minus {exact}',
            'of its gain, %',
        ]  # fmt: skip
        rows = []
        for arm in [exact, *present]:
            name = 'exact masks' if arm == exact else arm.rpartition('.')[2]
            estimate = _getter(results.estimate, world, method, arm)
            difference = _getter(results.difference, world, method, arm)
            to_exact = kept = None
            if arm != exact:
                to_exact = results.difference(world, method, arm, 'mixed_rand', exact)
                kept = results.gain_kept(world, method, arm, exact)
            quality = [estimate(f'mask_{key}') for key in ('iou', 'kept', 'removed')]
            rows.append([
                name, _seeds(results, world, method, arm),
                *(_cell(value) for value in quality),
                *(_cell(estimate(key)) for key in keys),
                *(_bold(difference(key)) for key in keys),
                _bold(to_exact),
                _cell(kept),
            ])  # fmt: skip
        parts += [
            f'{method}, {exact} on masks of all kinds ({world}). IoU with the exact masks, share '
            'of the foreground kept and of the background removed. A dash ends a row where the '
            'gain is not known well enough to speak of its share:',
            markdown_table([head, *rows]),
        ]
    return parts


def _reading(results: Results) -> str:
    study = results.study
    text = (
        'A shortcut-sensitivity test on composites. Percent; linear probe on frozen features '
        "unless it says k-NN; mean over the seeds (95 % interval, Student's t), each seed with a "
        'world of its own. BG-Gap = mixed_same − mixed_rand. spread is that of the projections at '
        'the end of training: 100 evenly over the sphere, 0 collapsed.'
    )
    if study.control is not None:
        text += (
            f' {study.control}: the {study.base} recipe pre-trained and probed on a world in which '
            'each class stands on all backgrounds alike; its BG-Gap is subtracted.'
        )
    return text


def _getter(
    method: Callable[..., Estimate | None], *place: str
) -> Callable[[str], Estimate | None]:
    return lambda key: method(*place, key)


def _cell(value: Estimate | None) -> str:
    return '-' if value is None else str(value)


def _bold(difference: Estimate | None) -> str:
    return f'**{difference}**' if difference and difference.clear else _cell(difference)


def _seeds(results: Results, world: str, method: str, arm: str) -> str:
    return str(len(results.scores.get((world, method, arm), {})))
