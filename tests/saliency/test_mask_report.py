"""Statistics by hand, and pictures that depend on the state alone."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.mask_store import MaskFolder, write_mask
from bgaug_mm.files import write_image
from bgaug_mm.saliency.image_list import Item
from bgaug_mm.saliency.mask_report import share_summary, summary_text, write_report


def test_summary() -> None:
    summary = share_summary({'a': 0.04, 'b': 'broken', 'c': 0.05, 'd': 0.5, 'e': 0.95, 'f': 0.96})
    assert (summary['images'], summary['masks'], summary['failures']) == (6, 5, 1)
    share = summary['foreground_share']
    assert share['mean'] == pytest.approx(0.5)
    assert share['p50'] == 0.5
    assert share['p25'] == 0.05
    assert share['p5'] == pytest.approx(0.042)  # a fifth of the way from 0.04 to 0.05
    assert share['std'] == pytest.approx(np.std([0.04, 0.05, 0.5, 0.95, 0.96]), abs=1e-6)
    # less than 5 %, more than 95 %: the limits themselves do not count
    assert share['masks_below_5_percent'] == share['masks_above_95_percent'] == 0.2
    assert summary_text(summary).splitlines() == [
        '5 masks of 6 images, 1 images failed',
        'foreground: mean 50.0%; 5/25/50/75/95 % quantiles: 4.2%, 5.0%, 50.0%, 95.0%, 95.8%',
        'masks with less than 5 % foreground: 20.0%, with more than 95 %: 20.0%',
    ]


def test_summary_of_failures() -> None:
    summary = share_summary({'a': 'broken'})
    assert summary == {'images': 1, 'masks': 0, 'failures': 1}
    assert summary_text(summary) == '0 masks of 1 images, 1 images failed'


@pytest.fixture
def masks(tmp_path: Path):
    items = [Item(str(tmp_path / 'in'), f'{i} \udcff.png') for i in range(5)]
    for i, item in enumerate(items):
        write_image(Path(item.path), np.full((30, 20 + 300 * i, 3), 40 * i, np.uint8))
        mask = np.full((30, 20 + 300 * i), 50 * i, np.uint8)
        write_mask(str(tmp_path / f'out/{i} \udcff.png'), mask)
    state = {item.name: 0.2 * i for i, item in enumerate(items)}
    return items, state, MaskFolder('', str(tmp_path / 'out'))


def test_report(masks, tmp_path: Path) -> None:
    items, state, store = masks
    for name in ('first', 'second'):
        summary = write_report(tmp_path / name, items, state, store, title='gs', samples=4)
        assert summary == share_summary(state)
    first = {path.name: path.read_bytes() for path in (tmp_path / 'first').iterdir()}
    assert sorted(first) == ['foreground_share.png', 'samples.png', 'summary.json']
    assert json.loads(first['summary.json'])['masks'] == 5
    assert first == {path.name: path.read_bytes() for path in (tmp_path / 'second').iterdir()}

    sheet = np.asarray(Image.open(tmp_path / 'first/samples.png'))
    assert sheet.shape[1] == 6 * (128 + 6) + 6  # three images and masks a row


def test_report_without_what_it_shows(masks, tmp_path: Path) -> None:
    items, state, store = masks
    for item in items:
        Path(item.path).unlink()
    write_report(tmp_path / 'report', items, state, store, title='gs')
    assert (tmp_path / 'report/samples.png').exists()
    write_report(tmp_path / 'none', items, {**dict.fromkeys(state, 'gone')}, store, title='gs')
    assert [path.name for path in (tmp_path / 'none').iterdir()] == ['summary.json']
