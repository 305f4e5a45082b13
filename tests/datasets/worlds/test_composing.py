from collections import Counter, defaultdict

import numpy as np
import pytest

from bgaug_mm.datasets.worlds import (
    CHALLENGE_SETS,
    SETS,
    ComposedImage,
    compose_world,
    count_images,
    paired_background,
)
from bgaug_mm.datasets.worlds.composing import composite

SIZE = 4


class Flat:
    """Uniform objects on the left half, uniform plates: pixels tell what was drawn.

    Object: (10 * class, fold, noise); plate: (100 + background, fold, noise).
    """

    classes = ('a', 'b', 'c')
    backgrounds = ('w', 'x', 'y', 'z')

    def foreground(self, rng, fold, label):
        colour = np.full((SIZE, SIZE, 3), 10 * label, np.uint8)
        colour[..., 1] = fold == 'test'
        colour[..., 2] = rng.integers(256)
        mask = np.zeros((SIZE, SIZE), np.uint8)
        mask[:, : SIZE // 2] = 255
        return colour, mask

    def background(self, rng, fold, background):
        plate = np.full((SIZE, SIZE, 3), 100 + background, np.uint8)
        plate[..., 1] = fold == 'test'
        plate[..., 2] = rng.integers(256)
        return plate


def compose(**options):
    options = {'seed': 0, 'per_class': 5, 'test_per_class': 4, **options}
    items = list(compose_world(Flat(), **options))
    sets = defaultdict(dict)
    for item in items:
        if isinstance(item, ComposedImage):
            sets[item.set_name][item.path] = item
    triplets = [item for item in items if not isinstance(item, ComposedImage)]
    return sets, triplets


def objects(images):
    return {path: item.image[0, 0].tolist() for path, item in images.items()}


def plates(images):
    return {path: item.image[0, -1].tolist() for path, item in images.items()}


def test_composite_equals_the_formula_pixel_by_pixel():
    rng = np.random.default_rng(0)
    colour, plate = rng.integers(0, 256, (2, 5, 5, 3)).astype(np.uint8)
    mask = rng.integers(0, 256, (5, 5)).astype(np.uint8)
    mask[0, :2] = 0, 255
    out = composite(colour, mask, plate)
    for y, x, c in np.ndindex(5, 5, 3):
        share = mask[y, x] / 255
        exact = share * int(colour[y, x, c]) + (1 - share) * int(plate[y, x, c])
        assert abs(int(out[y, x, c]) - exact) <= 0.5 + 1e-4
    assert (out[0, 0] == plate[0, 0]).all()
    assert (out[0, 1] == colour[0, 1]).all()


def test_all_sets_and_counts():
    sets, triplets = compose()
    assert set(sets) == {*SETS, 'other_fg'}
    assert len(sets['train']) == 3 * 5
    assert all(len(sets[name]) == 3 * 4 for name in (*SETS[1:], 'other_fg'))
    assert len(triplets) == 3 * 4
    assert '0' not in {path.split('/')[0] for path in sets['train']}
    assert 'b/00003.png' in sets['mixed_rand']


def test_folds_do_not_mix():
    sets, _ = compose()
    for name, images in sets.items():
        fold = int(name != 'train')
        if name != 'only_bg':
            assert {pixel[1] for pixel in objects(images).values()} == {fold}
        if name != 'only_fg':
            assert {pixel[1] for pixel in plates(images).values()} == {fold}


def test_test_sets_share_their_objects():
    sets, _ = compose()
    for name in ('mixed_same', 'mixed_rand', 'mixed_next', 'only_fg'):
        assert objects(sets[name]) == objects(sets['original'])


@pytest.mark.parametrize('seed', [0, 1, 6])
def test_backgrounds_of_the_mixed_sets(seed):
    sets, _ = compose(seed=seed, test_per_class=40)
    for label, name in enumerate(Flat.classes):
        pair, following = (label + seed) % 4, ((label + 1) % 3 + seed) % 4
        own = {key: Counter() for key in ('mixed_same', 'mixed_rand', 'mixed_next')}
        for key, counter in own.items():
            counter.update(
                pixel[0] - 100 for path, pixel in plates(sets[key]).items() if path.startswith(name)
            )
        assert own['mixed_same'] == {pair: 40}
        assert own['mixed_next'] == {following: 40}
        assert set(own['mixed_rand']) == {0, 1, 2, 3}


def test_mixed_same_takes_another_plate_than_original():
    sets, _ = compose(rho=1.0, test_per_class=40)
    first, second = plates(sets['original']), plates(sets['mixed_same'])
    same = sum(first[path] == second[path] for path in first)
    assert same < 10  # of 120; by chance one in 256 has the same noise


def test_only_bg_is_the_plate_of_original_without_object():
    sets, _ = compose()
    for path, item in sets['only_bg'].items():
        assert (item.image == plates(sets['original'])[path]).all()
        assert not item.mask.any()


def test_only_fg_is_grey_behind():
    sets, _ = compose()
    assert all(pixel == [127, 127, 127] for pixel in plates(sets['only_fg']).values())


def test_backgrounds_are_named():
    sets, _ = compose(challenge=True)
    for name, images in sets.items():
        for path, item in images.items():
            expected = '' if name == 'only_fg' else 'wxyz'[item.image[0, -1, 0] - 100]
            assert item.background == expected, (name, path)


def test_the_challenge_adds_two_sets_and_changes_no_other():
    plain, more = compose()[0], compose(challenge=True)[0]
    assert set(more) == {*plain, *CHALLENGE_SETS}
    for name, images in plain.items():
        assert list(images) == list(more[name])
        assert all((item.image == more[name][path].image).all() for path, item in images.items())


def test_no_fg_is_a_black_silhouette_on_the_plate_of_original():
    sets, _ = compose(challenge=True)
    for path, item in sets['no_fg'].items():
        assert not item.image[:, : SIZE // 2].any()
        original = sets['original'][path]
        assert (item.image[:, SIZE // 2 :] == original.image[:, SIZE // 2 :]).all()
        assert (item.mask == original.mask).all()


def test_adversarial_puts_every_object_on_every_background():
    sets, _ = compose(challenge=True)
    adversarial = sets['adversarial']
    assert len(adversarial) == 3 * 4 * 4
    first = objects(sets['original'])
    for path, item in adversarial.items():
        name, kind = path.removesuffix('.png').split('__')
        assert item.image[0, 0].tolist() == first[f'{name}.png']
        assert item.image[0, -1, :2].tolist() == [100 + 'wxyz'.index(kind), 1]


@pytest.mark.parametrize('name', ['_sand', 'wet__sand'])
def test_backgrounds_whose_files_would_be_unclear(name):
    source = Flat()
    source.backgrounds = ('w', name)
    assert next(compose_world(source)).background in source.backgrounds
    with pytest.raises(ValueError, match=f"the background class '{name}' starts with"):
        next(compose_world(source, challenge=True))


@pytest.mark.parametrize('challenge', [False, True])
def test_count_images(challenge):
    options = {'per_class': 5, 'test_per_class': 4, 'challenge': challenge}
    sets, _ = compose(**options)
    assert count_images(Flat(), **options) == sum(map(len, sets.values()))


def test_triplets_name_object_plate_and_other_object():
    sets, triplets = compose(test_per_class=20)

    def pixels(path):
        set_name, _, rest = path.partition('/')
        return objects(sets[set_name])[rest], plates(sets[set_name])[rest]

    for anchor, positive, negative in triplets:
        (a_object, a_plate), (p_object, _), (n_object, n_plate) = map(
            pixels, (anchor, positive, negative)
        )
        assert p_object == a_object
        assert n_plate == a_plate
        assert n_object[0] != a_object[0]  # another class
        other_class = negative.split('/')[1]
        assert n_object[0] == 10 * Flat.classes.index(other_class)


@pytest.mark.parametrize('rho', [0.0, 0.5, 0.9, 1.0])
def test_rho_is_the_share_of_paired_backgrounds(rho):
    sets, _ = compose(rho=rho, per_class=600, test_per_class=1)
    hits = [
        pixel[0] - 100 == Flat.classes.index(path[0])
        for path, pixel in plates(sets['train']).items()
    ]
    assert abs(np.mean(hits) - rho) < 0.04  # 1,800 draws: 3.4 standard deviations


def test_same_seed_same_world_and_other_seed_another():
    first, second, third = compose()[0], compose()[0], compose(seed=1)[0]
    for name, images in first.items():
        for path, item in images.items():
            assert (item.image == second[name][path].image).all()
            assert (item.mask == second[name][path].mask).all()
    assert plates(first['train']) != plates(third['train'])


def test_more_test_images_leave_the_others_as_they_are():
    few, many = compose(test_per_class=2)[0], compose(test_per_class=4)[0]
    for name, images in few.items():
        for path, item in images.items():
            assert (item.image == many[name][path].image).all(), (name, path)


def test_pairing_rotates_with_the_seed():
    assert [paired_background(Flat(), label, 3) for label in range(3)] == [3, 0, 1]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'rho': 1.3}, r'`rho` must be in \[0, 1\], but got 1.3'),
        ({'seed': -1}, '`seed` must be at least 0, but got -1'),
        ({'per_class': 0}, '`per_class` must be at least 1'),
        ({'test_per_class': 0}, '`test_per_class` must be at least 1'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        compose(**options)


def test_one_class_is_not_enough():
    source = Flat()
    source.classes = ('a',)
    with pytest.raises(ValueError, match='`number of classes` must be at least 2'):
        list(compose_world(source))
