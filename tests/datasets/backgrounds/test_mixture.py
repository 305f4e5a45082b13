import numpy as np
import pytest

from bgaug_mm.datasets.backgrounds import (
    Background,
    GreyBackground,
    MixtureBackground,
    RecentBackground,
)
from bgaug_mm.datasets.transforms import BackgroundSwap

IMAGE, MASK = np.full((16, 16, 3), 50, np.uint8), np.zeros((16, 16), np.uint8)
MASK[:, :6] = 255


def _grey(level: int) -> dict:
    return dict(type='bgaug_mm.GreyBackground', level=level)


def test_weights_are_kept() -> None:
    source = MixtureBackground(backgrounds=[_grey(1), _grey(2), _grey(3)], weights=[1, 0, 3])
    np.random.seed(0)
    levels = []
    for _ in range(4000):
        image = source.render(source.draw(IMAGE, MASK, None), 2, 2)
        levels.append(int(image[0, 0, 0]))
    assert set(levels) == {1, 3}
    assert levels.count(1) == pytest.approx(1000, abs=110)  # 4 sigma


def test_all_equal_by_default_and_in_words() -> None:
    source = MixtureBackground(backgrounds=[_grey(1), GreyBackground(level=2)])
    np.random.seed(0)
    texts = [source.describe(source.draw(IMAGE, MASK, None)) for _ in range(400)]
    assert set(texts) == {'GreyBackground level 1', 'GreyBackground level 2'}
    assert 150 < texts.count('GreyBackground level 1') < 250


@pytest.mark.parametrize('weights', [[1, 0], [0, 1]])
def test_a_weight_of_zero_is_never_taken(weights) -> None:
    source = MixtureBackground(backgrounds=[_grey(1), _grey(2)], weights=weights)
    assert {source.draw(IMAGE, MASK, None).source for _ in range(200)} == {weights.index(1)}


def test_recent_backgrounds_see_every_view() -> None:
    inner = MixtureBackground(backgrounds=[RecentBackground(every=1)])
    swap = BackgroundSwap(
        prob=1.0, background=MixtureBackground(backgrounds=[_grey(9), inner], weights=[0, 1])
    )
    first = swap({'img': IMAGE, 'gt_seg_map': MASK, 'sample_idx': 0})
    assert first['background_op'] is None  # nothing seen yet, and no other one steps in
    second = swap({'img': IMAGE + np.uint8(5), 'gt_seg_map': MASK, 'sample_idx': 1})
    assert (second['img'][:, 6:] == 50).all() and (second['img'][:, :6] == 55).all()
    assert second['background_params'].startswith('RecentBackground donor 0, crop ')


class Bound(Background):
    dataset = None

    def bind(self, dataset) -> None:
        self.dataset = dataset

    def draw(self, image, mask, sample_idx):
        return 1

    def render(self, params, height, width):
        return None


def test_bind_reaches_all_and_none_passes() -> None:
    source, dataset = Bound(), object()
    mixture = MixtureBackground(backgrounds=[MixtureBackground(backgrounds=[source])])
    mixture.bind(dataset)
    assert source.dataset is dataset
    assert mixture.render(mixture.draw(IMAGE, MASK, 0), 4, 4) is None


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(backgrounds=[]), '`backgrounds` must be a list of at least one source'),
        (dict(backgrounds=_grey(1)), '`backgrounds` must be a list'),
        (dict(backgrounds=[_grey(1)], weights=[1, 2]), r'`weights` must be 1 numbers .*\[1, 2\]'),
        (dict(backgrounds=[_grey(1), _grey(2)], weights=[-1, 2]), '`weights` must be 2 numbers'),
        (dict(backgrounds=[_grey(1)], weights=[0]), 'not all 0, but got'),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MixtureBackground(**options)
    with pytest.raises(KeyError, match='Nothing'):
        MixtureBackground(backgrounds=[dict(type='bgaug_mm.Nothing')])
