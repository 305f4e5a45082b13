"""What an earlier run left behind."""

from pathlib import Path

import numpy as np

from bgaug_mm.datasets.mask_store import MaskFolder, write_mask
from bgaug_mm.saliency.image_list import Item
from bgaug_mm.saliency.mask_maker import Task
from bgaug_mm.saliency.mask_survey import survey, unfinished

ITEMS = [Item('in', name) for name in ('a/1.jpg', 'a/2.jpg', 'b/3.jpg', 'b/4.jpg')]


def test_survey(tmp_path: Path) -> None:
    store = MaskFolder('', str(tmp_path))
    for name in ('a/1', 'a/2', 'b/3'):
        write_mask(str(tmp_path / f'{name}.png'), np.full((2, 5), 51, np.uint8))
    (tmp_path / 'b/4.png').write_bytes(b'')  # as after a crash of the machine
    left = ['a/.1.png.abcd_123', 'b/.4.png.zzzzzzzz']
    others = ['a/.9.png.abcd1234', 'a/.1.png', 'a/9.png', '.1.png.abcd1234']  # not of these images
    for name in left + others:
        (tmp_path / name).write_bytes(b'part of a mask')

    # a known share is believed, a failure from before is not
    shares = survey(ITEMS, store, {'a/1.jpg': 0.75, 'b/3.jpg': 'was broken', 'x': 0.5})
    assert shares == {'a/1.jpg': 0.75, 'a/2.jpg': 0.2, 'b/3.jpg': 0.2}
    assert not (tmp_path / 'b/4.png').exists()
    assert not any((tmp_path / name).exists() for name in left)
    assert all((tmp_path / name).exists() for name in others)


def test_unfinished_batches_stay_what_they_are() -> None:
    batches = [ITEMS[:2], ITEMS[2:]]
    tasks = unfinished(
        batches, MaskFolder('', 'out'), {'a/1.jpg': 1.0, 'a/2.jpg': 0.0, 'b/3.jpg': 0.5}
    )
    assert [*tasks] == [
        [Task('b/3.jpg', 'in/b/3.jpg', None), Task('b/4.jpg', 'in/b/4.jpg', 'out/b/4.png')]
    ]
