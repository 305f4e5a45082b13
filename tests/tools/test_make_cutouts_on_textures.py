import json
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).resolve().parents[2] / 'tools/dataset_converters/make_cutouts_on_textures.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))


@pytest.fixture
def material(tmp_path):
    """Two classes of round cut-outs, two of plain textures; colour names the file."""
    root = tmp_path / 'material'
    y, x = np.mgrid[:20, :30]
    alpha = np.where((y - 10) ** 2 + (x - 15) ** 2 < 64, 255, 0).astype(np.uint8)
    for label, name in enumerate(('cat', 'dog')):
        folder = root / 'cutouts' / name
        folder.mkdir(parents=True)
        for i in range(4):
            colour = np.full((20, 30, 3), 200 + 10 * label + i, np.uint8)
            Image.fromarray(np.dstack([colour, alpha])).save(folder / f'{i}.png')
    for label, name in enumerate(('sand', 'wood')):
        folder = root / 'textures' / name
        folder.mkdir(parents=True)
        for i in range(4):
            Image.fromarray(np.full((40, 40, 3), 20 * label + i, np.uint8)).save(
                folder / f'{i}.png'
            )
    return root


def run(tool, material, out, *options):
    tool['main']([
        str(material), str(out), '--per-class', '12', '--test-per-class', '8', '--size', '32',
        *options,
    ])  # fmt: skip


def test_world_of_cutouts(tool, material, tmp_path):
    out = tmp_path / 'world'
    run(tool, material, out)
    manifest = json.loads((out / 'manifest.json').read_text())
    assert manifest['pairing'] == {'cat': 'sand', 'dog': 'wood'}
    seen = {'train': set(), 'test': set()}
    for path in [*out.glob('train/*/*.png'), *out.glob('original/*/*.png')]:
        fold = 'train' if path.parts[-3] == 'train' else 'test'
        image = np.asarray(Image.open(path))
        mask = np.asarray(
            Image.open(out / f'{path.parts[-3]}_masks' / path.parent.name / path.name)
        )
        assert image.shape == (32, 32, 3)
        inside, outside = image[mask == 255], image[mask == 0]
        assert np.ptp(inside) == np.ptp(outside) == 0  # no dark or light seam
        colour, plate = inside[0, 0], outside[0, 0]
        assert (colour >= 210) == (path.parent.name == 'dog')
        seen[fold] |= {('object', colour), ('plate', plate)}
    assert not seen['train'] & seen['test']
    assert len(seen['train'] | seen['test']) == 16


def test_edges_have_no_seam_of_the_hidden_colour(tool, tmp_path):
    root = tmp_path / 'material'
    for kind, name in (('cutouts', 'a'), ('cutouts', 'b'), ('textures', 'a'), ('textures', 'b')):
        (root / kind / name).mkdir(parents=True)
        for i in range(2):
            if kind == 'cutouts':
                # white under the object, black where it is transparent
                pixels = np.zeros((40, 40, 4), np.uint8)
                pixels[8:32, 8:32] = 255
            else:
                pixels = np.full((40, 40, 3), 255, np.uint8)
            Image.fromarray(pixels).save(root / kind / name / f'{i}.png')
    run(tool, root, tmp_path / 'world')
    for path in (tmp_path / 'world').glob('train/*/*.png'):
        assert np.asarray(Image.open(path)).min() >= 254, path


def test_changed_material_is_noticed(tool, material, tmp_path, capsys):
    run(tool, material, tmp_path / 'world')
    run(tool, material, tmp_path / 'world')
    assert 'already there' in capsys.readouterr().out
    Image.new('RGB', (40, 40)).save(material / 'textures/sand/9.png')
    with pytest.raises(SystemExit, match='source_sha256'):
        run(tool, material, tmp_path / 'world')


def test_absent_folder_and_other_layout_say_what_is_expected(tool, material, tmp_path):
    expected = 'expected <class>'
    with pytest.raises(SystemExit, match=f'no folder .*nowhere/cutouts; {expected}'):
        run(tool, tmp_path / 'nowhere', tmp_path / 'world')
    for path in (material / 'textures/wood').iterdir():
        path.unlink()
    with pytest.raises(SystemExit, match='2 classes, of which wood have fewer than two images'):
        run(tool, material, tmp_path / 'world')


def test_cutouts_need_alpha(tool, material, tmp_path):
    path = material / 'cutouts/cat/0.png'
    Image.new('RGB', (9, 9)).save(path)
    with pytest.raises(SystemExit, match=r'cat/0\.png is opaque everywhere'):
        run(tool, material, tmp_path / 'world')
    Image.new('RGBA', (9, 9), (1, 2, 3, 0)).save(path)
    with pytest.raises(SystemExit, match=r'cat/0\.png: .*transparent everywhere'):
        run(tool, material, tmp_path / 'world')


def test_photographic_cutouts(tool, cutout8, tmp_path):
    run(tool, cutout8, tmp_path / 'world')
    manifest = json.loads((tmp_path / 'world/manifest.json').read_text())
    assert len(manifest['pairing']) == 8
    for path in (tmp_path / 'world').glob('train_masks/*/*.png'):
        assert 0.01 < (np.asarray(Image.open(path)) / 255).mean() < 0.9, path
