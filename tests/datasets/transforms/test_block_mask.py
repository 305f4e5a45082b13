"""Blocks of patches: counts, shapes, streams, and how they travel to the batch."""

import numpy as np
import pytest
import torch

from bgaug_mm.datasets.transforms import MultiView, PackSaliencyInputs, RandomBlockMask
from bgaug_mm.datasets.transforms.block_mask import block_mask


def draw(size=(224, 224), seed=0, **options):
    np.random.seed(seed)
    return RandomBlockMask(**options)({'img': np.zeros((*size, 3), np.uint8)})['block_mask']


@pytest.mark.parametrize('count', [0, 1, 5, 20, 60, 98, 196])
def test_never_more_patches_than_asked_for(count):
    for seed in range(20):
        np.random.seed(seed)
        mask = block_mask((14, 14), count, min_patches=16, aspect_ratio=(0.3, 1 / 0.3))
        assert mask.shape == (14, 14) and mask.dtype == bool
        assert mask.sum() <= count
        if 0 < count <= 98:
            assert mask.sum() >= 0.5 * count, 'few attempts fail'


def test_the_first_block_is_a_rectangle_of_the_drawn_area():
    """One block: with the least area at the count, what is masked is one rectangle of it."""
    for seed in range(30):
        np.random.seed(seed)
        mask = block_mask((20, 20), 36, min_patches=36, aspect_ratio=(1.0, 1.0), attempts=1)
        assert mask.sum() == 36
        rows, columns = mask.any(1).sum(), mask.any(0).sum()
        assert (rows, columns) == (6, 6)


def test_aspect_ratios_are_both_ways():
    shapes = set()
    for seed in range(50):
        np.random.seed(seed)
        mask = block_mask((30, 30), 100, min_patches=90, aspect_ratio=(0.25, 4.0), attempts=1)
        if mask.any():
            shapes.add(np.sign(int(mask.any(1).sum()) - int(mask.any(0).sum())))
    assert {-1, 1} <= shapes


def test_mask_of_pixels_is_made_of_patches():
    mask = draw(prob=1.0)
    assert mask.shape == (224, 224) and mask.dtype == np.uint8 and set(np.unique(mask)) == {0, 1}
    patches = mask[::16, ::16]
    np.testing.assert_array_equal(mask, patches.repeat(16, 0).repeat(16, 1))


def test_half_of_the_views_and_the_published_shares():
    np.random.seed(0)
    transform = RandomBlockMask()
    shares = np.array([transform.draw((14, 14)).mean() for _ in range(2000)])
    assert (shares == 0).mean() == pytest.approx(0.5, abs=0.04)
    masked = shares[shares > 0]
    assert masked.min() > 0.03 and masked.max() <= 0.5
    assert masked.mean() == pytest.approx(0.3, abs=0.03)  # uniform in [0.1, 0.5]


def test_least_area_scales_with_the_grid():
    assert RandomBlockMask().min_patches is None
    for seed in range(20):  # 4 x 4 patches: blocks of one patch may come
        assert draw((32, 32), seed, patch_size=8, prob=1.0, ratio=(0.5, 0.5)).any()


def test_border_that_fills_no_patch_stays():
    mask = draw((20, 28), patch_size=8, prob=1.0, ratio=(1.0, 1.0), min_patches=1)
    assert not mask[16:].any() and not mask[:, 24:].any() and mask[:16, :24].any()


def test_streams():
    assert np.array_equal(draw(seed=3, prob=1.0), draw(seed=3, prob=1.0))
    assert not np.array_equal(draw(seed=3, prob=1.0), draw(seed=4, prob=1.0))
    assert not draw(prob=0.0).any()


def test_travels_with_its_view():
    np.random.seed(1)
    blocked, plain = [RandomBlockMask(patch_size=8, prob=1.0)], [lambda results: dict(results)]
    views = MultiView([blocked, plain], [2, 1])
    results = views({'img': np.full((32, 32, 3), 7, np.uint8)})
    assert len(results['block_mask']) == 3 and results['block_mask'][2] is None
    assert not np.array_equal(*results['block_mask'][:2])
    pack = PackSaliencyInputs(with_block_mask=True, meta_keys=())
    inputs = pack(results)['inputs']
    assert [tuple(view.shape) for view in inputs] == [(4, 32, 32)] * 2 + [(3, 32, 32)]
    for view, mask in zip(inputs, results['block_mask'], strict=False):
        assert view.dtype == torch.uint8 and (view[:3] == 7).all()
        if mask is not None:
            np.testing.assert_array_equal(view[3].numpy(), mask)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(patch_size=0), '`patch_size` must be an integer from 1, but got 0'),
        (dict(prob=1.5), r'`prob` must be in \[0, 1\], but got 1.5'),
        (dict(ratio=(0.5, 0.1)), r'`ratio` must be \(min, max\) in \[0, 1\]'),
        (dict(ratio=(0.5, 1.1)), r'`ratio` must be \(min, max\) in \[0, 1\]'),
        (dict(aspect_ratio=(0, 1)), r'`aspect_ratio` must be \(min, max\) with 0 < min <= max'),
        (dict(min_patches=0), '`min_patches` must be at least 1, but got 0'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        RandomBlockMask(**options)


def test_view_smaller_than_a_patch():
    with pytest.raises(ValueError, match=r'a view of \(8, 32\) pixels is smaller than a patch, 16'):
        draw((8, 32))
