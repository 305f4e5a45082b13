"""The encoder as a backbone."""

import pytest
import torch
from mmengine.registry import MODELS

from bgaug_mm.models import SaliencyEncoder


@pytest.mark.parametrize('size', [(64, 64), (33, 47), (1, 1)])
def test_each_stage_halves_the_size(size) -> None:
    features = SaliencyEncoder(widths=(4, 6, 8)).eval()(torch.randn(2, 3, *size))
    sizes = [size]
    for _ in range(3):
        sizes.append(tuple(-(-side // 2) for side in sizes[-1]))
    assert [tuple(f.shape) for f in features] == [
        (2, width, *side) for width, side in zip((4, 6, 8), sizes[1:], strict=True)
    ]


def test_gives_the_stages_asked_for() -> None:
    config = dict(type='bgaug_mm.SaliencyEncoder', widths=(4, 6, 8), out_indices=(2,))
    (feature,) = MODELS.build(config)(torch.randn(2, 3, 16, 16))
    assert feature.shape == (2, 8, 2, 2)


def test_is_loaded_from_an_algorithm_that_pre_trained_it(tmp_path) -> None:
    trained = SaliencyEncoder(widths=(4, 6))
    state = {f'backbone.{name}': value for name, value in trained.state_dict().items()}
    torch.save({'state_dict': state}, tmp_path / 'x.pth')
    init = dict(type='Pretrained', checkpoint=str(tmp_path / 'x.pth'), prefix='backbone.')
    encoder = SaliencyEncoder(widths=(4, 6), init_cfg=init)
    encoder.init_weights()
    for name, value in encoder.state_dict().items():
        assert torch.equal(value, trained.state_dict()[name]), name


@pytest.mark.parametrize(
    ('options', 'text'),
    [
        (dict(widths=(4,)), '`widths` must be two or more positive ints'),
        (dict(widths=(4, 0)), '`widths` must be two or more positive ints'),
        (dict(widths=(4, 6), out_indices=(2,)), r'`out_indices` must be in \[0, 1\]'),
    ],
)
def test_says_which_option_is_wrong(options, text) -> None:
    with pytest.raises(ValueError, match=text):
        SaliencyEncoder(**options)
