import numpy as np
import pytest
from mmengine.logging import MMLogger
from mmengine.registry import DefaultScope

from bgaug_mm.datasets.backgrounds import GreyBackground, RecentBackground
from bgaug_mm.datasets.transforms import BackgroundSwap
from bgaug_mm.registry import TRANSFORMS

MASK = np.zeros((32, 32), np.uint8)
MASK[:, :12] = 255


def _view(level: int, idx: int) -> dict:
    return {'img': np.full((32, 32, 3), level, np.uint8), 'gt_seg_map': MASK, 'sample_idx': idx}


def test_takes_a_built_source_and_a_config() -> None:
    for source in (GreyBackground(level=7), dict(type='GreyBackground', level=7),
                   dict(type='bgaug_mm.GreyBackground', level=7)):  # fmt: skip
        results = BackgroundSwap(background=source, prob=1.0)(_view(50, 0))
        assert (results['img'][:, :12] == 50).all()
        assert (results['img'][:, 12:] == 7).all()
        assert results['background_op'] == 'BackgroundSwap'


def test_the_default_gives_the_background_of_another_image() -> None:
    swap = BackgroundSwap(prob=1.0)
    assert isinstance(swap.background, RecentBackground)
    first = swap(_view(50, 0))
    assert first['background_op'] is None and (first['img'] == 50).all()
    again = swap(_view(60, 0))  # a second view of the same image
    assert again['background_op'] is None
    other = swap(_view(70, 1))
    assert (other['img'][:, :12] == 70).all()
    assert (other['img'][:, 12:] == 50).all()


def test_is_built_without_a_warning_under_another_scope(monkeypatch) -> None:
    warnings = []
    monkeypatch.setattr(MMLogger, 'callHandlers', lambda self, record: warnings.append(record))
    config = dict(
        type='bgaug_mm.BackgroundSwap',
        background=dict(type='bgaug_mm.GreyBackground', _scope_='mmengine'),
    )
    with DefaultScope.overwrite_default_scope('mmengine'):
        TRANSFORMS.build(config)
    assert [record.msg for record in warnings if record.levelno >= 30] == []
    assert config['background'] == dict(type='bgaug_mm.GreyBackground', _scope_='mmengine')


def test_same_seed_same_result() -> None:
    outcomes = []
    for _ in range(2):
        swap = BackgroundSwap(prob=0.5)
        rng = np.random.default_rng(1)
        np.random.seed(4)
        views = [rng.integers(0, 256, (32, 32, 3), np.uint8) for _ in range(12)]
        outcomes.append([swap({**_view(0, i), 'img': view})['img'] for i, view in enumerate(views)])
    np.testing.assert_array_equal(*outcomes)


def test_unknown_source_and_option() -> None:
    with pytest.raises(KeyError, match='Nothing'):
        BackgroundSwap(background=dict(type='bgaug_mm.Nothing'))
    with pytest.raises(ValueError, match='`size` must be at least 1'):
        BackgroundSwap(background=dict(type='bgaug_mm.RecentBackground', size=0))
