from typing import Any

import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params

from bgaug_mm.datasets.transforms import BackgroundOp


class Red(BackgroundOp):
    """A background (0, 0, level) that counts what happens."""

    def __init__(self, *, prob=1.0, min_foreground=0.05, max_foreground=0.95, level=200) -> None:
        super().__init__(prob=prob, min_foreground=min_foreground, max_foreground=max_foreground)
        self.level: Any = level
        self.seen: list[Any] = []

    def draw(self, image, mask, sample_idx):
        return self.level

    def render(self, params, height, width):
        return np.full((height, width, 3), (0, 0, params), np.uint8)

    def observe(self, image, mask, sample_idx):
        self.seen.append((image.copy(), sample_idx))


IMAGE = np.full((10, 10, 3), 50, np.uint8)
MASK = np.zeros((10, 10), np.uint8)
MASK[:, :5] = 255


def _results(**more) -> dict:
    return {'img': IMAGE.copy(), 'gt_seg_map': MASK.copy(), **more}


def test_foreground_stays_and_background_goes() -> None:
    results = Red()(_results())
    assert (results['img'][:, :5] == 50).all()
    assert (results['img'][:, 5:] == (0, 0, 200)).all()
    np.testing.assert_array_equal(results['gt_seg_map'], MASK)
    assert results['background_op'] == 'Red'


@pytest.mark.parametrize('share', [0.0, 0.04, 0.06, 0.5, 0.94, 0.96, 1.0])
def test_share_limits(share: float) -> None:
    mask = np.zeros((10, 10), np.uint8)
    mask.ravel()[: round(share * 100)] = 255
    results = Red()({'img': IMAGE.copy(), 'gt_seg_map': mask})
    done = 0.05 <= share <= 0.95
    assert results['background_op'] == ('Red' if done else None)
    assert ((results['img'] != IMAGE).any()) == done


def test_probability() -> None:
    np.random.seed(0)
    op = Red(prob=0.3)
    done = sum(op(_results())['background_op'] is not None for _ in range(2000))
    assert 520 < done < 680  # 4 standard deviations
    assert all(Red(prob=0.0)(_results())['background_op'] is None for _ in range(50))


def test_no_background_to_be_had() -> None:
    results = Red(level=None)(_results())
    np.testing.assert_array_equal(results['img'], IMAGE)
    assert results['background_op'] is None


def test_two_ops_in_a_row_keep_the_name_of_the_one_that_acted() -> None:
    results = Red(prob=0.0)(Red()(_results()))
    assert results['background_op'] == 'Red'


@pytest.mark.parametrize('prob', [0.0, 1.0])
def test_observes_every_view_as_it_was(prob: float) -> None:
    op = Red(prob=prob)
    op(_results(sample_idx=7))
    ((image, idx),) = op.seen
    np.testing.assert_array_equal(image, IMAGE)
    assert idx == 7


@pytest.mark.parametrize('flip', [np.s_[:, ::-1], np.s_[::-1], np.s_[::-1, ::-1]])
@pytest.mark.parametrize('prob', [0.0, 1.0])
def test_flipped_read_only_views(flip, prob: float) -> None:
    rng = np.random.default_rng(0)
    image = rng.integers(0, 256, (8, 9, 3), np.uint8)
    mask = rng.integers(0, 256, (8, 9), np.uint8)
    expected = Red(prob=prob)({'img': image[flip].copy(), 'gt_seg_map': mask[flip].copy()})
    image.flags.writeable = mask.flags.writeable = False
    results = Red(prob=prob)({'img': image[flip], 'gt_seg_map': mask[flip]})
    np.testing.assert_array_equal(results['img'], expected['img'])
    np.testing.assert_array_equal(results['gt_seg_map'], mask[flip])


def test_cached_parameters_and_lists_of_random_methods() -> None:
    op = Red(prob=0.5)
    for seed in range(10):
        np.random.seed(seed)
        with cache_random_params(op):
            assert len({op(_results())['background_op'] for _ in range(8)}) == 1
    assert BackgroundOp._methods_with_randomness == ['_draw']
    assert Red._methods_with_randomness == ['_draw']


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(prob=1.3), r'`prob` must be in \[0, 1\], but got 1.3'),
        (dict(min_foreground=-0.1), r'`min_foreground` must be in \[0, 1\], but got -0.1'),
        (dict(max_foreground=2), r'`max_foreground` must be in \[0, 1\], but got 2'),
        (dict(min_foreground=0.6, max_foreground=0.5), 'must not exceed `max_foreground`'),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Red(**options)


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(gt_seg_map=MASK[:5]), 'of one size and uint8, but got'),
        (dict(img=IMAGE.astype(np.float32)), 'float32.*before any normalisation'),
        (dict(gt_seg_map=MASK > 0), 'bool'),
        (dict(img=IMAGE[..., 0]), r'\(10, 10\) uint8'),
    ],
)
def test_arrays_that_do_not_fit(change: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Red()(_results(**change))


@pytest.mark.parametrize('key', ['img', 'gt_seg_map'])
def test_a_missing_key(key: str) -> None:
    results = _results()
    del results[key]
    with pytest.raises(ValueError, match=rf"`Red` needs .*\['{key}'\] is missing"):
        Red()(results)
