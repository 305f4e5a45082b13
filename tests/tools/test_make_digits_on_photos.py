import filecmp
import json
import runpy
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).resolve().parents[2] / 'tools/dataset_converters/make_digits_on_photos.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))


@pytest.fixture(scope='module')
def world(tool, tmp_path_factory):
    out = tmp_path_factory.mktemp('worlds') / 'first'
    tool['main']([str(out), '--per-class', '6', '--test-per-class', '3'])
    return out


def read(path):
    return np.asarray(Image.open(path))


def test_layout(world):
    manifest = json.loads((world / 'manifest.json').read_text())
    assert manifest['sets']['train'] == manifest['sets']['train_masks'] == 60
    for name in ('original', 'mixed_same', 'mixed_rand', 'mixed_next', 'only_fg', 'only_bg'):
        images = sorted(path.relative_to(world / name) for path in world.glob(f'{name}/*/*.png'))
        masks = sorted((world / f'{name}_masks').glob('*/*.png'))
        assert [path.relative_to(world / f'{name}_masks') for path in masks] == images
        assert len(images) == 30
    assert read(world / 'train/0/00000.png').shape == (48, 48, 3)
    assert read(world / 'train_masks/0/00000.png').shape == (48, 48)
    assert manifest['pairing']['3'] == 'coffee'


def test_strokes_are_light_and_masks_soft(world):
    shares, levels = [], set()
    for path in sorted(world.glob('train/*/*.png')):
        mask = read(world / 'train_masks' / path.parent.name / path.name)
        image = read(path)
        assert image[mask == 255].min() >= 190
        shares.append((mask >= 128).mean())
        levels |= {*np.unique(mask)}
        rows = np.flatnonzero((mask > 0).any(1))
        assert 0.4 * 48 < rows[-1] - rows[0] + 1 <= 0.95 * 48 + 1  # side: 0.65 to 0.95
    assert min(shares) > 0.05
    assert max(shares) < 0.5
    assert len(levels) > 50


def test_same_options_same_bytes(tool, world, tmp_path):
    tool['main']([str(tmp_path / 'again'), '--per-class', '6', '--test-per-class', '3'])
    files = sorted(p.relative_to(world) for p in world.rglob('*') if p.is_file())
    again = sorted(
        p.relative_to(tmp_path / 'again') for p in (tmp_path / 'again').rglob('*') if p.is_file()
    )
    assert files == again
    same, *other = filecmp.cmpfiles(world, tmp_path / 'again', map(str, files), shallow=False)
    assert len(same) == len(files)
    assert other == [[], []]


@pytest.mark.skipif(
    [version(name).split('.')[:2] for name in ('pillow', 'scikit-image', 'scikit-learn')]
    != [['13', '0'], ['0', '26'], ['1', '9']],
    reason='pixels may differ with other versions of Pillow, scikit-image and scikit-learn',
)
def test_worlds_made_before_are_still_made(tool, tmp_path):
    tool['main']([str(tmp_path / 'w'), '--per-class', '1', '--test-per-class', '1'])
    manifest = json.loads((tmp_path / 'w/manifest.json').read_text())
    assert manifest['sha256_of_pixels'] == (
        '5577604ff8986d15d2ddfc49ecc99f29b21e1caff0abd175f6607c014bb0b3d5'
    )


def test_repeat_skips_and_other_options_are_refused(tool, world, capsys):
    tool['main']([str(world), '--per-class', '6', '--test-per-class', '3'])
    assert 'already there' in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"'seed': \(0, 1\)"):
        tool['main']([str(world), '--per-class', '6', '--test-per-class', '3', '--seed', '1'])


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--size', '4'], '`--size` must be at least 16'),
        (['--seed', '-2'], '`--seed` must be at least 0'),
        (['--rho', '2'], r'`rho` must be in \[0, 1\], but got 2.0'),
    ],
)
def test_bad_options_are_one_line(tool, tmp_path, options, message):
    with pytest.raises(SystemExit, match=f'make_digits_on_photos: {message}'):
        tool['main']([str(tmp_path / 'w'), *options])
    assert not (tmp_path / 'w').exists()
