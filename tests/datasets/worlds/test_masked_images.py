import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.worlds.masked_images import (
    InfilledImages,
    MaskedImages,
    border_share,
)

OPTIONS = {'size': 32, 'seed': 0, 'limit': 99}


def members(pool, fold):
    return {name: {int(file[:-4]) for file in files} for name, files in pool.folds[fold].items()}


@pytest.mark.parametrize('seed', [0, 1, 2])
def test_objects_are_those_the_filters_leave(photos, seed):
    pool = MaskedImages(photos, None, **{**OPTIONS, 'seed': seed})
    train, test = members(pool, 'train'), members(pool, 'test')
    assert pool.classes == ['cat', 'dog']
    for name in pool.classes:
        assert train[name] | test[name] == {0, 1, 2, 5, 8, 9}
        assert not train[name] & test[name]
    assert pool.left_out == {
        'no mask': 2,
        'less object than --min-share 0.05': 2,
        'more object than --max-share 0.7': 2,
        'more object at the border than --max-border 0.0': 2,
    }


def test_filters_are_options(photos):
    pool = MaskedImages(photos, None, **OPTIONS, min_share=0.001, max_share=1, max_border=1)
    assert pool.left_out == {'no mask': 2}
    assert pool.recorded['min_share'] == 0.001
    assert pool.recorded['sha256'] != MaskedImages(photos, None, **OPTIONS).recorded['sha256']


def test_objects_are_cut_out_by_their_masks(photos):
    pool = MaskedImages(photos, None, **OPTIONS)
    rng = np.random.default_rng(0)
    for _ in range(20):
        colour, mask = pool.draw(rng, 'test', 1)
        assert colour.shape == (32, 32, 3)
        assert (colour[mask == 255] == 60).all()
        assert 0.65 * 32 - 1 <= np.flatnonzero(mask.any(0)).size <= 0.95 * 32 + 1


def test_backgrounds_are_infilled_and_split_as_the_objects(photos):
    objects = MaskedImages(photos, None, **OPTIONS)
    plates = InfilledImages(photos, None, **OPTIONS)
    assert plates.left_out == {'no mask': 2, 'too little background': 2}
    for fold, other in (('train', 'test'), ('test', 'train')):
        for name in objects.classes:
            assert members(objects, fold)[name] <= members(plates, fold)[name]
            assert not members(plates, fold)[name] & members(objects, other)[name]
    rng = np.random.default_rng(0)
    for label in (0, 1):
        for fold in ('train', 'test'):
            seen = set()
            for _ in range(60):
                plate = plates.draw(rng, fold, label)
                assert plate.shape == (32, 32, 3)
                assert (plate == plate[0, 0]).all()  # no trace of the object
                assert plate[0, 0, 0] == 200 - 100 * label
                seen.add(int(plate[0, 0, 1]))
            assert seen == members(plates, fold)[plates.classes[label]]


def test_masks_may_be_elsewhere_or_packed(photos, root, tmp_path):
    import runpy

    expected = MaskedImages(photos, None, **OPTIONS)
    beside = tmp_path / 'photos_masks'
    store = tmp_path / 'store.masks'
    pack = runpy.run_path(str(root / 'tools/saliency/pack_masks.py'))
    pack['main'](['pack', str(beside), str(store)])
    beside.rename(tmp_path / 'elsewhere')
    for place in (tmp_path / 'elsewhere', store):
        pool = MaskedImages(photos, str(place), **OPTIONS)
        assert pool.folds == expected.folds
        assert pool.recorded == expected.recorded
    with pytest.raises(ValueError, match='there is no folder of saliency masks'):
        MaskedImages(photos, None, **OPTIONS)


def test_limit_takes_the_first_usable_ones(photos):
    few = MaskedImages(photos, None, **{**OPTIONS, 'limit': 1})
    many = MaskedImages(photos, None, **OPTIONS)
    for fold in ('train', 'test'):
        for name in few.classes:
            assert len(members(few, fold)[name]) == 1
            assert members(few, fold)[name] <= members(many, fold)[name]


def test_no_usable_file_names_class_fold_and_reasons(photos, tmp_path):
    for path in (tmp_path / 'photos_masks/dog').iterdir():
        mask = np.zeros((40, 50), np.uint8)
        Image.fromarray(mask).save(path)
    with pytest.raises(
        ValueError, match=r'dog: none of the 6 images .* train .*: .*less object than --min-share'
    ):
        MaskedImages(photos, None, **OPTIONS)


def test_bad_masks_and_images_are_named(photos, tmp_path):
    path = tmp_path / 'photos_masks/cat/0.png'
    whole = path.read_bytes()
    path.write_text('no mask')
    with pytest.raises(ValueError, match=r'the mask of .*cat/0\.png, .*photos_masks/cat/0\.png: '):
        MaskedImages(photos, None, **OPTIONS)
    path.write_bytes(whole)
    Image.new('RGB', (9, 8)).save(photos / 'cat/0.png')
    pool = MaskedImages(photos, None, **OPTIONS)
    fold = 'train' if '0.png' in pool.folds['train']['cat'] else 'test'
    with pytest.raises(ValueError, match=r'cat/0\.png is 9×8, but its mask 50×40 pixels'):
        for seed in range(50):
            pool.draw(np.random.default_rng(seed), fold, 0)


def test_turned_photographs_are_set_upright(photos):
    for path in sorted(photos.glob('*/*.png')):
        pixels = np.asarray(Image.open(path)).transpose(1, 0, 2)[::-1]  # turned left
        exif = Image.Exif()
        exif[0x0112] = 6  # to be turned right
        Image.fromarray(np.ascontiguousarray(pixels)).save(path, exif=exif)
    pool = MaskedImages(photos, None, **OPTIONS)
    colour, mask = pool.draw(np.random.default_rng(0), 'train', 0)
    assert (colour[mask == 255] == 60).all()


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'min_share': 0.8}, '`--min-share` and `--max-share` must be in'),
        ({'max_share': 1.5}, '`--min-share` and `--max-share` must be in'),
        ({'max_border': -1}, r'`--max-border` must be in \[0, 1\], but got -1'),
    ],
)
def test_bad_options(photos, options, message):
    with pytest.raises(ValueError, match=message):
        MaskedImages(photos, None, **OPTIONS, **options)


def test_border_share():
    mask = np.zeros((4, 5), np.uint8)
    assert border_share(mask) == 0
    mask[0, :3] = 255
    mask[1:3, 1:4] = 255  # inside
    mask[3, 4] = 127  # rather not object
    assert border_share(mask) == 3 / 14
