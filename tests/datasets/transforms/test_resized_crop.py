import random
from itertools import product

import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params

import bgaug_mm  # noqa: F401  (makes mmselfsup importable)
from bgaug_mm.datasets.transforms import RandomResizedCrop

IMAGE = np.random.default_rng(0).integers(0, 256, (61, 83, 3), np.uint8)
COLUMNS = np.broadcast_to(np.arange(83, dtype=np.uint8) * 3, (61, 83))


def _seed(seed: int) -> None:
    np.random.seed(seed)
    random.seed(seed)


def _upstream(library: str):
    if library == 'mmselfsup':
        from mmselfsup.datasets.transforms import RandomResizedCrop as Upstream
    elif library == 'mmcls':
        from mmcls.datasets.transforms import RandomResizedCrop as Upstream
    else:
        from mmpretrain.datasets.transforms import RandomResizedCrop as Upstream
    return Upstream


@pytest.mark.parametrize('library', ['mmselfsup', 'mmcls', 'mmpretrain'])
@pytest.mark.parametrize(
    ('backend', 'interpolation'),
    [
        *product(['cv2', 'pillow'], ['nearest', 'bilinear', 'bicubic', 'lanczos']),
        ('cv2', 'area'),  # pillow has none
    ],
)
def test_equals_upstream(library: str, backend: str, interpolation: str) -> None:
    options = dict(interpolation=interpolation, backend=backend)
    variants = [
        dict(size=(16, 24)),
        dict(size=32, scale=(0.9, 1.0), ratio=(1.8, 2.0), max_attempts=2),  # falls back: wide
        dict(size=32, scale=(0.9, 1.0), ratio=(0.4, 0.5), max_attempts=1),  # falls back: narrow
        dict(size=32, scale=(0.9, 1.0), ratio=(1.3, 1.4), max_attempts=0),  # the whole image
    ]
    names = {'size': 'scale', 'scale': 'crop_ratio_range', 'ratio': 'aspect_ratio_range'}
    for variant in variants:
        if library != 'mmselfsup':
            variant = {names.get(key, key): value for key, value in variant.items()}
        ours = RandomResizedCrop(**variant, **options)
        theirs = _upstream(library)(**variant, **options)
        for seed in range(5):
            _seed(seed)
            expected = theirs({'img': IMAGE})['img']
            _seed(seed)
            results = ours({'img': IMAGE, 'gt_seg_map': COLUMNS})
            np.testing.assert_array_equal(results['img'], expected)
            assert results['img_shape'] == expected.shape[:2]
            x1, y1, x2, y2 = results['crop_bbox']
            assert 0 <= x1 < x2 <= 83 and 0 <= y1 < y2 <= 61


@pytest.mark.parametrize('backend', ['cv2', 'pillow', 'torch'])
@pytest.mark.parametrize('interpolation', ['bilinear', 'bicubic'])
def test_mask_and_image_stay_aligned(backend: str, interpolation: str) -> None:
    # the image holds the mask's values: after the crop they must still agree
    image = np.dstack([COLUMNS] * 3)
    crop = RandomResizedCrop(
        size=40, scale=(0.3, 0.5), backend=backend, interpolation=interpolation
    )
    for seed in range(10):
        _seed(seed)
        results = crop({'img': image, 'gt_seg_map': COLUMNS})
        difference = results['img'][..., 0].astype(int) - results['gt_seg_map']
        assert np.abs(difference[:, 3:-3]).max() <= 2  # a quarter of a pixel would be more
        assert results['gt_seg_map'].shape == (40, 40)


def test_the_box_is_the_one_that_was_cut() -> None:
    crop = RandomResizedCrop(size=20, interpolation='nearest', mask_interpolation='nearest')
    rows = np.broadcast_to(np.arange(61, dtype=np.uint8)[:, None], (61, 83))
    image = np.dstack([rows, COLUMNS // 3, rows])
    for seed in range(10):
        _seed(seed)
        results = crop({'img': image})
        x1, y1, x2, y2 = results['crop_bbox']
        assert results['img'][0, 0].tolist()[:2] == [y1, x1]
        assert results['img'][..., 0].max() < y2 and results['img'][..., 1].max() < x2
        assert 'gt_seg_map' not in results


def test_min_foreground_is_kept() -> None:
    mask = np.zeros((61, 83), np.uint8)
    mask[5:15, 60:80] = 200
    crop = RandomResizedCrop(
        size=16, scale=(0.2, 0.4), min_foreground=0.5, max_attempts_foreground=1000
    )
    plain = RandomResizedCrop(size=16, scale=(0.2, 0.4))
    shares = {crop: [], plain: []}
    for seed in range(40):
        for transform, values in shares.items():
            _seed(seed)
            x1, y1, x2, y2 = transform({'img': IMAGE, 'gt_seg_map': mask})['crop_bbox']
            values.append(mask[y1:y2, x1:x2].sum(dtype=int) / mask.sum(dtype=int))
    assert min(shares[crop]) >= 0.5
    assert min(shares[plain]) < 0.5


def test_the_best_attempt_is_taken_when_none_suffices() -> None:
    mask = np.full((61, 83), 255, np.uint8)  # a crop of a quarter never holds 90 %
    crop = RandomResizedCrop(
        size=16, scale=(0.05, 0.25), min_foreground=0.9, max_attempts_foreground=6
    )
    _seed(3)
    boxes = [crop._draw_box(61, 83) for _ in range(6)]
    best = max(boxes, key=lambda box: (box[2] - box[0]) * (box[3] - box[1]))
    _seed(3)
    assert crop({'img': IMAGE, 'gt_seg_map': mask})['crop_bbox'] == best


@pytest.mark.parametrize('mask', [None, np.zeros((61, 83), np.uint8)])
def test_without_foreground_the_first_crop_is_taken(mask) -> None:
    results = {'img': IMAGE} if mask is None else {'img': IMAGE, 'gt_seg_map': mask}
    _seed(0)
    first = RandomResizedCrop(size=16)(dict(results))['crop_bbox']
    _seed(0)
    assert RandomResizedCrop(size=16, min_foreground=0.5)(dict(results))['crop_bbox'] == first


def test_cached_parameters_are_shared() -> None:
    crop = RandomResizedCrop(size=16)
    with cache_random_params(crop):
        first, second = (crop({'img': IMAGE})['img'] for _ in range(2))
    np.testing.assert_array_equal(first, second)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(), 'give `size`'),
        (dict(size=8, crop_ratio_range=(0.1, 1)), 'with `size`, give `scale` and `ratio`'),
        (dict(size=8, aspect_ratio_range=(0.1, 1)), 'with `size`, give `scale` and `ratio`'),
        (dict(scale=8, ratio=(0.5, 2)), 'but got `ratio`'),
        (dict(size=0), '`size` must be a positive int'),
        (dict(size=(8, 8, 8)), '`size` must be a positive int'),
        (dict(scale=8.5), '`scale` must be a positive int'),
        (dict(size=8, scale=(1, 0.5)), r'`scale` must be \(min, max\)'),
        (dict(scale=8, aspect_ratio_range=(0, 1)), r'`aspect_ratio_range` must be \(min, max\)'),
        (dict(size=8, interpolation='x'), "`interpolation` must be one of .* but got 'x'"),
        (dict(size=8, mask_interpolation='x'), '`mask_interpolation` must be one of'),
        (dict(size=8, backend='x'), "`backend` must be one of .* but got 'x'"),
        (dict(size=8, backend='torch', interpolation='area'), '`interpolation` must be one of'),
        (dict(size=8, max_attempts=-1), '`max_attempts` must be at least 0, but got -1'),
        (dict(size=8, min_foreground=1.3), r'`min_foreground` must be in \[0, 1\], but got 1.3'),
        (dict(size=8, max_attempts_foreground=0), '`max_attempts_foreground` must be at least 1'),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RandomResizedCrop(**options)


def test_a_mask_of_another_size() -> None:
    with pytest.raises(ValueError, match=r'must have the size of `img` \(61, 83\), but has \(2, 2'):
        RandomResizedCrop(size=8)({'img': IMAGE, 'gt_seg_map': np.zeros((2, 2), np.uint8)})
