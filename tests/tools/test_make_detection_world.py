import json
import os
import runpy
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.worlds.run_lengths import decode_mask

TOOLS = Path(__file__).resolve().parents[2] / 'tools/dataset_converters'
SMALL = ['--train-images', '6', '--val-images', '3', '--size', '96']


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOLS / 'make_detection_world.py'))['main']


@pytest.fixture(scope='module')
def world(tool, tmp_path_factory):
    out = tmp_path_factory.mktemp('detection') / 'digits'
    tool([str(out), *SMALL])
    return out


def manifest_of(out):
    return json.loads((out / 'manifest.json').read_text())


def test_manifest_and_layout(world):
    manifest = manifest_of(world)
    assert manifest['args'] == {
        'size': 96, 'seed': 0, 'train_images': 6, 'val_images': 3, 'min_visible': 0.25,
        'rho': None, 'val_rho': None, 'objects': [1, 4], 'scale': [0.1, 0.9],
        'classes': ['0', '2', '6', '7'],
        'foregrounds': {'pool': 'Digits'}, 'backgrounds': {'pool': 'Photos'},
    }  # fmt: skip
    assert manifest['sets'] == {
        'VOC2007/JPEGImages': 9, 'VOC2007/Annotations': 9, 'VOC2007/ImageSets/Main': 2,
        'annotations': 2,
    }  # fmt: skip
    assert manifest['pairing']['6'] == 'ihc'  # the seventh photo
    assert not (world / 'triplets.csv').exists()
    assert Image.open(world / 'VOC2007/JPEGImages/000009.jpg').size == (96, 96)
    assert Image.open(world / 'samples.png').width > 1000
    assert len((world / 'SHA256SUMS').read_text().splitlines()) == 25


def test_same_bytes_under_a_seed_and_a_second_call_skips(tool, world, tmp_path, capsys):
    tool([str(tmp_path / 'again'), *SMALL])
    assert (tmp_path / 'again/SHA256SUMS').read_bytes() == (world / 'SHA256SUMS').read_bytes()
    capsys.readouterr()
    tool([str(world), *SMALL])
    said = capsys.readouterr().out
    assert 'already there' in said
    assert 'train: ' in said and 'small' in said
    assert 'val has no large objects' in said  # of 96 pixels
    with pytest.raises(SystemExit, match=r"'seed': \(0, 1\).*--overwrite"):
        tool([str(world), *SMALL, '--seed', '1'])


def test_a_missing_file_is_told(tool, tmp_path):
    tool([str(tmp_path / 'set'), *SMALL])
    (tmp_path / 'set/VOC2007/Annotations/000004.xml').unlink()
    with pytest.raises(SystemExit, match='misses files.*add --overwrite'):
        tool([str(tmp_path / 'set'), *SMALL])


def test_pretraining_on_the_same_seed_sees_nothing_of_val(world, tmp_path):
    """The other makers split a pool as this one does; of another seed they do not."""
    challenge = runpy.run_path(str(TOOLS / 'make_backgrounds_challenge.py'))['main']
    few = ['--foregrounds', 'digits', '--per-class', '1', '--test-per-class', '1', '--size', '32']
    ours = manifest_of(world)['files']['foregrounds']
    for seed, shared in ((0, False), (1, True)):
        challenge([str(tmp_path / str(seed)), *few, '--seed', str(seed)])
        theirs = manifest_of(tmp_path / str(seed))['files']
        for name in ('0', '2', '6', '7'):
            assert bool({*theirs['foregrounds']['train'][name]} & {*ours['test'][name]}) == shared
            assert not {*ours['train'][name]} & {*ours['test'][name]}
    assert theirs['backgrounds'] == manifest_of(world)['files']['backgrounds']


def test_cut_outs(tool, cutout8, tmp_path, capsys):
    out = tmp_path / 'set'
    options = ['--foregrounds', str(cutout8), '--limit', '3', '--classes', 'fish', 'bird']
    tool([str(out), *options, *SMALL, '--rho', '1', '--objects', '1', '1'])
    manifest = manifest_of(out)
    assert manifest['args']['classes'] == ['fish', 'bird']
    coco = json.loads((out / 'annotations/instances_train.json').read_text())
    names = {category['id']: category['name'] for category in coco['categories']}
    assert names == {1: 'fish', 2: 'bird'}
    for row in coco['annotations']:
        background = coco['images'][row['image_id'] - 1]['background']
        assert background == manifest['pairing'][names[row['category_id']]]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (['--classes', '0', 'ten'], "`--classes`: there is no class 'ten'; the foregrounds have 0"),
        (['--classes', '0', '0'], '`--classes` names one twice: 0 0'),
        (['--foregrounds', 'nowhere'], 'no folder nowhere; expected <class>'),
        (['--foregrounds', 'empty', '--backgrounds', 'photos'], 'empty has 0 classes; expected'),
        (['--backgrounds', 'empty'], 'empty has 0 classes; expected'),
        (['--train-images', '0'], '`--train-images` must be at least 1, but got 0'),
        (['--size', '16'], '`size` must be at least 32, but got 16'),
        (['--size', '40'], '`scale` 0.1 of 40 pixels makes objects of 4 pixels'),
        (['--rho', '1.5'], r'`rho` must be in \[0, 1\], but got 1.5'),
    ],
)
def test_bad_input_is_one_line(tool, tmp_path, monkeypatch, options, message):
    monkeypatch.chdir(tmp_path)
    os.mkdir('empty')
    with pytest.raises(SystemExit, match=f'^make_detection_world: {message}') as stop:
        tool(['out', *SMALL, *options])
    assert '\n' not in str(stop.value)
    assert os.listdir() == ['empty']


def test_masks_claim_the_light_strokes(world):
    coco = json.loads((world / 'annotations/instances_val.json').read_text())
    for row in coco['annotations']:
        name = coco['images'][row['image_id'] - 1]['file_name']
        image = np.asarray(Image.open(world / 'VOC2007/JPEGImages' / name))
        assert image[decode_mask(row['segmentation'])].mean() > 150
