import filecmp
import json
import os
import runpy
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.evaluation import OPTIONAL_SETS, TEST_SETS, list_world

TOOLS = Path(__file__).resolve().parents[2] / 'tools/dataset_converters'
SMALL = ['--per-class', '6', '--test-per-class', '1', '--size', '32']


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOLS / 'make_backgrounds_challenge.py'))['main']


@pytest.fixture(scope='module')
def world(tool, tmp_path_factory):
    out = tmp_path_factory.mktemp('challenges') / 'digits'
    tool([str(out), '--foregrounds', 'digits', *SMALL])
    return out


def manifest_of(out):
    return json.loads((out / 'manifest.json').read_text())


def test_layout(world):
    manifest = manifest_of(world)
    assert manifest['kind'] == 'shortcut-sensitivity test on composites (not ImageNet-9)'
    assert manifest['args']['foregrounds'] == {'pool': 'Digits'}
    sets = list_world(world)
    assert set(sets) == {'train', *TEST_SETS, *OPTIONAL_SETS}
    assert {name: len(found.files) for name, found in sets.items()} == {
        'train': 60, 'adversarial': 100, **dict.fromkeys((*TEST_SETS, 'no_fg'), 10)
    }  # fmt: skip
    for name, found in sets.items():
        for path in found.files:
            assert (world / f'{name}_masks' / path.relative_to(world / name)).is_file()
    assert Image.open(world / 'samples.png').width > 1000
    assert [path.name for path in sorted((world / 'adversarial/3').iterdir())][:2] == [
        '00000__brick.png', '00000__chelsea.png'
    ]  # fmt: skip


def test_the_sets_of_the_former_maker_are_the_same(world, tmp_path):
    former = runpy.run_path(str(TOOLS / 'make_digits_on_photos.py'))['main']
    former([str(tmp_path / 'digits'), *SMALL])
    names = [*manifest_of(tmp_path / 'digits')['sets']]
    assert len(names) == 16
    for name in names:
        files = [str(p.relative_to(world)) for p in (world / name).glob('*/*.png')]
        same, *other = filecmp.cmpfiles(world, tmp_path / 'digits', files, shallow=False)
        assert len(same) == len(files) > 0
        assert other == [[], []]


def test_folds_share_no_file(world):
    for kind, folds in manifest_of(world)['files'].items():
        for name, train in folds['train'].items():
            assert train, (kind, name)
            assert not {*train} & {*folds['test'][name]}, (kind, name)


def test_uniform_rho_and_same_bytes_under_a_seed(tool, tmp_path):
    options = ['--foregrounds', 'digits', '--rho', 'uniform', '--seed', '3', *SMALL]
    for name in ('one', 'two'):
        tool([str(tmp_path / name), *options])
    first, second = ((tmp_path / name / 'SHA256SUMS').read_bytes() for name in ('one', 'two'))
    assert first == second
    manifest = manifest_of(tmp_path / 'one')
    assert manifest['args']['rho'] == 0.1
    assert manifest['pairing']['0'] == 'coffee'  # rotated by three
    rows = (tmp_path / 'one/backgrounds.csv').read_text().splitlines()
    kinds = Counter(row.split(',')[2] for row in rows if row.startswith('train,'))
    assert max(kinds.values()) < 20  # of 60 over ten


def test_images_with_masks_on_their_own_backgrounds(tool, world, tmp_path, capsys):
    out = tmp_path / 'own'
    options = ['--foregrounds', str(world / 'train'), '--infill', 'inpaint', '--min-share', '0.08']
    tool([str(out), *options, '--max-border', '1', *SMALL])
    manifest = manifest_of(out)
    assert manifest['args']['backgrounds']['infill'] == 'inpaint'
    assert manifest['args']['foregrounds']['min_share'] == 0.08
    left_out = manifest['left_out']['foregrounds'].get('less object than --min-share 0.08', 0)
    if left_out:
        assert f'foregrounds: left out {left_out} × less object' in capsys.readouterr().out
    assert manifest['pairing']['4'] == '4'
    for path in sorted((out / 'no_fg').glob('*/*.png')):
        mask = np.asarray(Image.open(out / 'no_fg_masks' / path.parent.name / path.name))
        assert not np.asarray(Image.open(path))[mask == 255].any()
        assert (mask == 255).any()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--foregrounds', 'nowhere'], 'no folder nowhere; expected <class>'),
        (['--foregrounds', 'lone'], 'lone has no textures/ beside its cut-outs: say where'),
        (['--foregrounds', 'digits', '--rho', '1.2'], r'`rho` must be in \[0, 1\], but got 1.2'),
        (['--foregrounds', 'digits', '--backgrounds', 'gone'], 'no folder gone; expected <class>'),
        (
            ['--foregrounds', 'gone', '--masks', 'gone_masks'],
            'there is no folder of saliency',
        ),
    ],
)
def test_bad_input_is_one_line(tool, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    for name in ('a', 'b'):
        for i in range(2):
            path = tmp_path / 'lone' / name / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            cutout = np.zeros((8, 8, 4), np.uint8)
            cutout[2:6, 2:6] = 255
            Image.fromarray(cutout).save(path)
    with pytest.raises(SystemExit, match=f'^make_backgrounds_challenge: {message}') as stop:
        tool(['out', *options, *SMALL])
    assert '\n' not in str(stop.value)
    assert os.listdir() == ['lone']


def test_rho_must_be_a_number_or_uniform(tool, capsys):
    with pytest.raises(SystemExit):
        tool(['out', '--foregrounds', 'digits', '--rho', 'even'])
    assert "argument --rho: invalid correlation value: 'even'" in capsys.readouterr().err


def test_cut_outs(tool, cutout8, tmp_path):
    out = tmp_path / 'cutouts'
    tool([str(out), '--foregrounds', str(cutout8), '--limit', '4', *SMALL])
    manifest = manifest_of(out)
    assert manifest['pairing']['bird'] == 'brick'
    assert len(manifest['files']['backgrounds']['train']['wood']) == 4
    assert len(list((out / 'adversarial').glob('*/*.png'))) == 64
