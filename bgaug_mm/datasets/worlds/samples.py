"""A picture of one object a class through all sets of a world, for the eye."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO

from PIL import Image

from bgaug_mm.visualization import contact_sheet

from .composing import CHALLENGE_SETS, SETS, ComposedImage, Triplet
from .writing import Item, WorldFile

SAMPLES = 'samples.png'
_ROWS, _PLATES = 10, 10  # most classes and most backgrounds of `adversarial` that are shown
_COLUMNS = (*SETS, CHALLENGE_SETS[0])


def with_samples(items: Iterable[ComposedImage | Triplet]) -> Iterator[Item]:
    """The items, and then ``samples.png``.

    A row shows the first object of a class in every test set, before it another
    object from ``train``; columns at the right show it on every background class.
    """
    rows: dict[str, dict[str, ComposedImage]] = {}
    for item in items:
        yield item
        if isinstance(item, Triplet):
            continue
        name, _, file = item.path.partition('/')
        shown = item.set_name in SETS or item.set_name in CHALLENGE_SETS
        if shown and file.startswith('00000') and (name in rows or len(rows) < _ROWS):
            adversarial = item.set_name == 'adversarial'
            column = f'on {item.background}' if adversarial else item.set_name
            rows.setdefault(name, {})[column] = item
    if rows:
        yield WorldFile(SAMPLES, _sheet(rows))


def _sheet(rows: dict[str, dict[str, ComposedImage]]) -> bytes:
    first = next(iter(rows.values()))
    sets = [name for name in _COLUMNS if name in first]
    plates = [name for name in first if name.startswith('on ')][:_PLATES]
    images = [
        [
            row['original'].mask,
            *(row[name].image for name in sets),
            *(row[name].image for name in plates),
        ]
        for row in rows.values()
    ]
    captions = [
        [f'class {name}', *('' if key == 'only_fg' else row[key].background for key in sets)]
        for name, row in rows.items()
    ]
    groups = [('mask and sets; below, the background class', 1 + len(sets))]
    if plates:
        groups.append(('adversarial', len(plates)))
    sheet = contact_sheet(
        images, ['mask', *sets, *plates], groups=groups, captions=captions, cell=96
    )
    buffer = BytesIO()
    Image.fromarray(sheet).save(buffer, 'PNG')
    return buffer.getvalue()
