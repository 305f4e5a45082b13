from dataclasses import replace

import numpy as np
import pytest

from bgaug_mm.datasets.worlds.scenes import SceneOptions, _Canvas, compose_scene

OPTIONS = SceneOptions(size=64, labels=(0, 1, 2), objects=(1, 5), scale=(0.2, 0.8))


def scenes(source, options=OPTIONS, fold='train', count=40):
    return [compose_scene(source, fold, index, options) for index in range(count)]


def test_masks_are_exactly_the_objects_pixels(blocks):
    """Read from the image alone: a class's green, one red and blue, no pixel unclaimed."""
    partly = 0
    for scene in scenes(blocks):
        green = scene.image[..., 1]
        claimed = np.zeros((64, 64), int)
        for item in scene.objects:
            claimed += item.mask
            assert (green[item.mask] == 10 * item.label).all()
            assert len(np.unique(scene.image[item.mask], axis=0)) == 1
            left, top, right, bottom = item.box
            rows, columns = np.nonzero(item.mask)
            assert (left, right) == (columns.min(), columns.max() + 1)
            assert (top, bottom) == (rows.min(), rows.max() + 1)
            assert item.area == item.mask.sum() > 0
            partly += item.visible < 1
        np.testing.assert_array_equal(claimed, green < 200)
        assert (green[claimed == 0] == 200 + 10 * scene.background).all()
        assert scene.objects[-1].visible == 1
    assert partly > 10


def test_sizes_counts_classes_and_backgrounds_are_as_asked(blocks):
    drawn = scenes(blocks, replace(OPTIONS, labels=(2, 0), min_visible=0.01), count=300)
    whole = [item for scene in drawn for item in scene.objects if item.visible == 1]
    heights = np.array([item.box[3] - item.box[1] for item in whole])
    assert 12 <= heights.min() < 16 and 45 < heights.max() <= 52
    assert {len(scene.objects) for scene in drawn} == {1, 2, 3, 4, 5}
    labels = np.array([item.label for item in whole])  # positions in (2, 0)
    assert set(labels) == {0, 1} and 0.4 < labels.mean() < 0.6
    assert {int(scene.image[..., 1][item.mask][0]) for scene in drawn for item in scene.objects
            if item.label == 0} == {20}  # fmt: skip
    assert 0.4 < np.mean([scene.background for scene in drawn]) < 0.6
    single = scenes(blocks, replace(OPTIONS, objects=(1, 1), scale=(0.3, 0.3)), count=5)
    for scene in single:
        (item,) = scene.objects
        assert item.box[3] - item.box[1] == round(0.3 * 64)


def test_every_doubling_of_the_size_is_equally_frequent(blocks):
    options = replace(OPTIONS, objects=(1, 1), scale=(0.2, 0.8))
    heights = [scene.objects[0].box[3] - scene.objects[0].box[1]
               for scene in scenes(blocks, options, count=400)]  # fmt: skip
    assert 0.42 < np.mean(np.array(heights) < 0.4 * 64) < 0.58


def test_rho_pairs_the_background_with_the_first_object_and_moves_no_object(blocks):
    options = replace(OPTIONS, objects=(1, 1), rho=1.0, seed=1)
    paired, other = scenes(blocks, options), scenes(blocks, replace(options, rho=0.0))
    for one, two in zip(paired, other, strict=True):
        assert one.background == (one.objects[0].label + 1) % 2  # rotated by the seed
        assert two.background == 1 - one.background
        np.testing.assert_array_equal(one.objects[0].mask, two.objects[0].mask)


def test_a_scene_depends_on_fold_number_and_seed_alone(blocks):
    first, again = (compose_scene(blocks, 'train', 7, OPTIONS) for _ in range(2))
    np.testing.assert_array_equal(first.image, again.image)
    for other in (
        compose_scene(blocks, 'test', 7, OPTIONS),
        compose_scene(blocks, 'train', 8, OPTIONS),
        compose_scene(blocks, 'train', 7, replace(OPTIONS, seed=1)),
    ):
        assert (other.image != first.image).any()
    assert {int(scene.image[..., 1].max()) % 10 for scene in scenes(blocks, fold='test')} == {1}


def cutout(height, width, alpha=255):
    return np.full((height, width, 4), alpha, np.uint8)


def test_who_would_hide_another_is_left_out():
    canvas, rng = _Canvas(8, 0.9), np.random.default_rng(0)
    assert canvas.place(cutout(6, 6), rng)
    before = canvas.owner.copy()
    # wherever it stands, 6×6 covers at least 4×4 of the 36
    assert not canvas.place(cutout(6, 6), rng)
    np.testing.assert_array_equal(canvas.owner, before)
    assert canvas.place(cutout(1, 3), rng)  # 33 of 36 are 0.92
    canvas.min_visible = 0.25
    assert canvas.place(cutout(6, 6), rng)
    for k, (full, visible) in enumerate(zip(canvas.full, canvas.visible, strict=True)):
        assert visible == (canvas.owner == k).sum() >= 0.25 * full
    assert canvas.full == [36, 3, 36]


def test_a_pixel_is_an_objects_from_half_opaque_on():
    canvas, rng = _Canvas(4, 0.5), np.random.default_rng(0)
    assert not canvas.place(cutout(4, 4, alpha=127), rng)
    soft = cutout(4, 4, alpha=127)
    soft[1:3, 1, 3] = 128
    assert canvas.place(soft, rng)
    assert (canvas.owner == 0).sum() == 2 == canvas.visible[0]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        ({'size': 0}, '`size` must be at least 32, but got 0'),
        ({'objects': (0, 2)}, 'at least 1 and ascending, but got 0 and 2'),
        ({'objects': (3, 2)}, 'at least 1 and ascending, but got 3 and 2'),
        ({'scale': (0.5, 1.2)}, r'in \(0, 1\], ascending, but got 0\.5 and 1\.2'),
        ({'scale': (0.5, 0.4)}, 'ascending, but got 0.5 and 0.4'),
        ({'scale': (0.1, 0.4)}, 'objects of 6.4 pixels, .* at least 0.125 at this size'),
        ({'min_visible': 0.0}, r'`min_visible` must be in \(0, 1\], but got 0\.0'),
        ({'rho': 1.5}, r'`rho` must be in \[0, 1\], but got 1\.5'),
        ({'seed': -1}, '`seed` must be at least 0, but got -1'),
    ],
)
def test_options_out_of_range(options, message):
    with pytest.raises(ValueError, match=message):
        replace(OPTIONS, **options)
