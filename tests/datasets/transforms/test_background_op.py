from typing import Any

import numpy as np
import pytest
from mmcv.transforms.utils import cache_random_params

from bgaug_mm.datasets.backgrounds import Background
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import BackgroundOp


class RedBackground(Background):
    """A background (0, 0, level) that counts what happens."""

    def __init__(self, level: Any = 200, rendered: bool = True) -> None:
        self.level = level
        self.rendered = rendered
        self.seen: list[Any] = []
        self.dataset: Any = None

    def bind(self, dataset):
        self.dataset = dataset

    def draw(self, image, mask, sample_idx):
        return self.level

    def render(self, params, height, width):
        return np.full((height, width, 3), (0, 0, params), np.uint8) if self.rendered else None

    def observe(self, image, mask, sample_idx):
        self.seen.append((image.copy(), sample_idx))

    def describe(self, params):
        return f'red {params}'


class Red(BackgroundOp):
    def __init__(self, *, prob=1.0, min_foreground=0.05, max_foreground=0.95, level=200,
                 rendered=True, mask_edit=None) -> None:  # fmt: skip
        super().__init__(
            background=RedBackground(level, rendered),
            prob=prob,
            min_foreground=min_foreground,
            max_foreground=max_foreground,
            mask_edit=mask_edit,
        )


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
    assert results['background_params'] == 'red 200'


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


def test_probability_follows_the_progress_of_the_training(stream) -> None:
    op = Red(prob=dict(type='linear', start=0.0, end=1.0, begin=0.2, until=0.7))
    np.random.seed(0)
    for progress, prob in ((0.0, 0.0), (0.2, 0.0), (0.45, 0.5), (0.7, 1.0), (0.9, 1.0)):
        SAMPLE_STREAM.set(seed=1, epoch=0, progress=progress)
        done = sum(op(_results())['background_op'] is not None for _ in range(400))
        assert done == pytest.approx(400 * prob, abs=40 * (0 < prob < 1))  # 4 sigma


@pytest.mark.parametrize('options', [dict(level=None), dict(rendered=False)])
def test_no_background_to_be_had(options: dict) -> None:
    results = Red(**options)(_results())
    np.testing.assert_array_equal(results['img'], IMAGE)
    assert results['background_op'] is None and results['background_params'] is None


def test_mask_edit_shapes_the_composite_alone() -> None:
    results = Red(mask_edit=dict(dilate=2))(_results())
    assert (results['img'][:, :7] == 50).all()
    assert (results['img'][:, 7:] == (0, 0, 200)).all()
    np.testing.assert_array_equal(results['gt_seg_map'], MASK)


def test_share_limits_look_at_the_mask_as_it_came() -> None:
    faint = np.full((10, 10), 40, np.uint8)  # share 0.16; a threshold would make it 1
    results = Red(max_foreground=0.2, mask_edit=dict(threshold=30))(
        {'img': IMAGE.copy(), 'gt_seg_map': faint}
    )
    assert results['background_op'] == 'Red'
    assert (results['img'] == 50).all()  # all of it is foreground now


@pytest.mark.parametrize('edit', [dict(threshold=41), dict(as_box=True)])
def test_an_edit_that_leaves_no_foreground_does_nothing(edit: dict) -> None:
    results = Red(mask_edit=edit)(
        {'img': IMAGE.copy(), 'gt_seg_map': np.full((10, 10), 40, np.uint8)}
    )
    np.testing.assert_array_equal(results['img'], IMAGE)
    assert results['background_op'] is None


def test_a_blurred_mask_is_told() -> None:
    op = Red(mask_edit=dict(blur=1.0, blur_prob=0.5))
    np.random.seed(0)
    texts = {}
    for _ in range(20):
        results = op(_results())
        texts[results['background_params']] = len(np.unique(results['img']))
    assert set(texts) == {'red 200', 'red 200, mask blurred'}
    assert texts['red 200'] == 3 < texts['red 200, mask blurred']  # 0, 50 and 200


def test_bind_reaches_the_source() -> None:
    op, dataset = Red(), object()
    op.bind(dataset)
    assert op.background.dataset is dataset


def test_two_ops_in_a_row_keep_the_name_of_the_one_that_acted() -> None:
    results = Red(prob=0.0)(Red()(_results()))
    assert results['background_op'] == 'Red' and results['background_params'] == 'red 200'


@pytest.mark.parametrize('prob', [0.0, 1.0])
def test_observes_every_view_as_it_was(prob: float) -> None:
    op = Red(prob=prob)
    op(_results(sample_idx=7))
    ((image, idx),) = op.background.seen
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
        (dict(prob=dict(type='linear', start=0.1)), "`prob` of type 'linear' needs `end`"),
        (dict(mask_edit=dict(size=3)), r"`mask_edit` takes threshold, .* got \['size'\]"),
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
