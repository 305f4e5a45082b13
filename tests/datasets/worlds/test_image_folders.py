import hashlib

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.worlds import Cutouts, Textures, file_digest
from bgaug_mm.datasets.worlds.image_folders import cached, place, resize_cutout


@pytest.mark.parametrize(('pool', 'kind'), [(Cutouts, 'cutouts'), (Textures, 'textures')])
@pytest.mark.parametrize('seed', [0, 1])
def test_draws_come_from_the_folds_own_files(material, pool, kind, seed):
    made = pool(material / kind, size=32, seed=seed)
    assert made.classes == (['a', 'b'] if kind == 'cutouts' else ['y', 'z'])
    rng = np.random.default_rng(3)
    for label, name in enumerate(made.classes):
        train, test = ({int(f[0]) for f in made.folds[fold][name]} for fold in ('train', 'test'))
        assert len(train) == 5  # 65 % of 8
        assert train | test == set(range(8))
        assert not train & test
        for fold, own in (('train', train), ('test', test)):
            seen = set()
            for _ in range(60):
                drawn = made.draw(rng, fold, label)
                image = drawn[0][drawn[1] == 255] if kind == 'cutouts' else drawn
                assert np.ptp(image) == 0
                seen.add(int(image.flat[0]) - 100 * label)
            assert seen == own


def test_the_split_is_the_seeds(material):
    first, again, other = (
        Textures(material / 'textures', size=32, seed=seed).folds for seed in (0, 0, 1)
    )
    assert first == again != other


def test_limit(material):
    pool = Cutouts(material / 'cutouts', size=32, seed=0, limit=2)
    whole = Cutouts(material / 'cutouts', size=32, seed=0)
    for fold in ('train', 'test'):
        for name in pool.classes:
            assert len(pool.folds[fold][name]) == 2
            assert set(pool.folds[fold][name]) <= set(whole.folds[fold][name])
    assert len(pool.files) == 8
    assert pool.recorded != whole.recorded


def test_file_digest_is_over_class_names_and_bytes(tmp_path):
    for name in ('x', 'y'):
        path = tmp_path / name / 'cutouts/a/1.png'
        path.parent.mkdir(parents=True)
        path.write_bytes(b'content')
    expected = hashlib.sha256(b'cutouts/a/1.png' + b'content').hexdigest()
    assert file_digest([tmp_path / 'x/cutouts/a/1.png']) == expected
    assert file_digest([tmp_path / 'y/cutouts/a/1.png']) == expected
    path.write_bytes(b'changed')
    assert file_digest([path]) != expected


def test_cached_reads_once(tmp_path):
    calls = []

    def read(path):
        calls.append(path)
        return np.zeros((10, 10), np.uint8)

    memory = cached(read, tmp_path / 'first')
    for _ in range(3):
        memory(tmp_path / 'second')
    assert calls == [tmp_path / 'first', tmp_path / 'second']


def test_a_bad_file_is_named_before_anything_is_drawn(material):
    (material / 'textures/y/3.png').write_text('no image')
    with pytest.raises(ValueError, match=r'y/3\.png is not an image'):
        Textures(material / 'textures', size=32, seed=0)
    Image.new('RGB', (9, 9)).save(material / 'cutouts/a/0.png')
    with pytest.raises(ValueError, match=r'a/0\.png is opaque everywhere'):
        Cutouts(material / 'cutouts', size=32, seed=0)


def test_folders_that_do_not_serve(material, tmp_path):
    with pytest.raises(ValueError, match='no folder .*none; expected <class>'):
        Textures(tmp_path / 'none', size=32, seed=0)
    for path in list((material / 'textures/z').iterdir())[1:]:
        path.unlink()
    with pytest.raises(ValueError, match='2 classes, of which z have fewer than two images'):
        Textures(material / 'textures', size=32, seed=0)


@pytest.mark.parametrize('seed', range(8))
def test_place_is_inside_and_of_the_stated_size(seed):
    cutout = np.full((10, 20, 4), 255, np.uint8)
    cutout[:, :10, 0] = 9  # left half
    colour, mask = place(cutout, np.random.default_rng(seed), size=64)
    rows, columns = np.flatnonzero(mask.any(1)), np.flatnonzero(mask.any(0))
    assert 0.65 * 64 - 1 <= len(columns) <= 0.95 * 64 + 1
    assert abs(len(columns) / len(rows) - 2) < 0.1
    left, right = colour[rows[0], columns[0], 0], colour[rows[0], columns[-1], 0]
    assert {int(left), int(right)} == {9, 255}  # mirrored or not


def test_resize_cutout_keeps_the_aspect_and_shows_nothing_hidden():
    cutout = np.zeros((10, 20, 4), np.uint8)
    cutout[..., 0] = 255  # red is hidden
    cutout[:, 10:] = 9, 9, 9, 255
    resized = resize_cutout(cutout, 12.4)
    assert resized.shape == (6, 12, 4)
    assert resized[resized[..., 3] > 0][:, 0].max() <= 10
    assert resize_cutout(cutout, 1).shape == (1, 1, 4)
