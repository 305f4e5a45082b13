import numpy as np
import pytest

from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import BackgroundRemove, MultiView, PatchShuffle
from bgaug_mm.datasets.transforms.patch_shuffle import apply_order, shuffle_order
from bgaug_mm.registry import TRANSFORMS


def _naive(height: int, width: int, grid: int, shuffled: str, rng) -> np.ndarray:
    """Where each pixel comes from, by loops."""
    rows, columns = height // grid, width // grid
    top, left = (height - rows * grid) // 2, (width - columns * grid) // 2
    boxes = [
        [
            (top + row * rows + y) * width + left + column * columns + x
            for y in range(rows)
            for x in range(columns)
        ]
        for row in range(grid)
        for column in range(grid)
    ]
    order = np.arange(height * width)
    if shuffled == 'patches':
        for target, source in enumerate(rng.permutation(grid * grid)):
            order[boxes[target]] = boxes[source]
    else:
        for box in boxes:
            order[box] = np.array(box)[rng.permutation(len(box))]
    return order.reshape(height, width)


@pytest.mark.parametrize('shuffled', ['patches', 'pixels'])
@pytest.mark.parametrize(
    ('height', 'width', 'grid'),
    [(12, 12, 1), (12, 12, 2), (12, 18, 3), (13, 17, 4), (8, 8, 8), (9, 8, 8)],
)
def test_against_loops(height, width, grid, shuffled) -> None:
    permutation = np.random.default_rng(3).permutation
    order = shuffle_order(height, width, grid, shuffled=shuffled, permutation=permutation)
    expected = _naive(height, width, grid, shuffled, np.random.default_rng(3))
    np.testing.assert_array_equal(order, expected)
    assert sorted(order.ravel()) == list(range(height * width))


def test_by_hand() -> None:
    image = np.array([[1, 2, 3, 4], [5, 6, 7, 8], [9, 10, 11, 12], [13, 14, 15, 16]], np.uint8)

    def backwards(count: int) -> np.ndarray:
        return np.arange(count)[::-1]

    patches = apply_order(image, shuffle_order(4, 4, 2, permutation=backwards))
    assert patches.tolist() == [[11, 12, 9, 10], [15, 16, 13, 14], [3, 4, 1, 2], [7, 8, 5, 6]]
    order = shuffle_order(4, 4, 2, shuffled='pixels', permutation=backwards)
    assert apply_order(image, order).tolist() == [
        [6, 5, 8, 7],
        [2, 1, 4, 3],
        [14, 13, 16, 15],
        [10, 9, 12, 11],
    ]
    colours = np.dstack([image, image + 1, image + 2])
    np.testing.assert_array_equal(
        apply_order(colours, order)[..., 1], apply_order(image, order) + 1
    )


def test_the_margin_stays(noise) -> None:
    image = noise[:13, :17]
    order = shuffle_order(13, 17, 4, permutation=lambda count: np.roll(np.arange(count), 1))
    result = apply_order(image, order)
    np.testing.assert_array_equal(result[-1:], image[-1:])  # 13 = 4 · 3 + 1, below
    np.testing.assert_array_equal(result[:, -1:], image[:, -1:])
    assert not (result[:12, :16] == image[:12, :16]).all(-1).any(1).all()


@pytest.mark.parametrize('shuffled', ['patches', 'pixels'])
def test_mask_moves_along(shuffled, photos) -> None:
    image = photos[0][:48, :48]
    mask = np.ascontiguousarray(image[..., 0])
    mask.flags.writeable = False
    np.random.seed(0)
    results = PatchShuffle((2, 4, 8), shuffled=shuffled)({'img': image, 'gt_seg_map': mask})
    assert results['img'] is not image
    np.testing.assert_array_equal(results['img'][..., 0], results['gt_seg_map'])
    assert not np.array_equal(results['gt_seg_map'], mask)


def test_seed_probability_and_grids(photos, seeded) -> None:
    transform = PatchShuffle([1, 4], prob=0.5)
    results = [seeded(transform, photos[0], seed) for seed in range(60)]
    left = sum(result is photos[0] for result in results)
    unchanged = sum(np.array_equal(result, photos[0]) for result in results)
    assert 15 < left < 45 and left < unchanged < 57  # a grid of 1 changes nothing
    for seed in range(4):
        np.testing.assert_array_equal(seeded(transform, photos[0], seed), results[seed])


def test_in_views_before_a_background_operation(photos) -> None:
    image = photos[0][:32, :32]
    mask = np.zeros((32, 32), np.uint8)
    mask[:16] = 255
    views = MultiView(
        [[PatchShuffle(2), BackgroundRemove(prob=1.0, fill='zero', max_foreground=1.0)]], 2
    )
    np.random.seed(4)
    results = views({'img': image, 'gt_seg_map': mask})
    for view, own in zip(results['img'], results['gt_seg_map'], strict=True):
        assert own.sum() == mask.sum() and not view[own == 0].any()
        # the foreground is what the upper half was
        assert sorted(map(tuple, view[own == 255])) == sorted(map(tuple, image[:16].reshape(-1, 3)))


def test_a_sample_draws_its_own_from_a_config(photos, stream) -> None:
    """Seeds come from (seed, epoch, sample), whatever was drawn before."""
    SAMPLE_STREAM.set(seed=0, epoch=0)
    steps = (
        dict(type='bgaug_mm.SeedSample'),
        dict(type='bgaug_mm.PatchShuffle', grid=4),
        dict(type='bgaug_mm.GammaDistortion', gamma=(0.2, 5.0)),
    )
    pipeline = [TRANSFORMS.build(step) for step in steps]

    def run(index: int) -> np.ndarray:
        results = {'img': photos[0][:32, :32], 'sample_idx': index}
        for transform in pipeline:
            results = transform(results)
        return results['img']

    first = run(3)
    assert not np.array_equal(run(4), first)
    np.testing.assert_array_equal(run(3), first)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(grid=0), '`grid` must be integers from 1 on, but got 0'),
        (dict(grid=(2, 2.5)), '`grid` must be integers from 1 on, but got 2.5'),
        (dict(grid=[]), '`grid` must not be empty'),
        (dict(grid=2, shuffled='rows'), "`shuffled` must be one of .*, but got 'rows'"),
        (dict(grid=2, prob=-1), r'`prob` must be in \[0, 1\], but got -1'),
    ],
)
def test_bad_options(options, message) -> None:
    with pytest.raises(ValueError, match=message):
        PatchShuffle(**options)


def test_bad_input(photos) -> None:
    with pytest.raises(ValueError, match='`grid` 8 is finer than the image, 4 x 192 pixels'):
        PatchShuffle(8)({'img': photos[0][:4]})
    with pytest.raises(ValueError, match=r'of one size, but got \(192, 192\) and \(4, 4\)'):
        PatchShuffle(8)({'img': photos[0], 'gt_seg_map': np.zeros((4, 4), np.uint8)})
