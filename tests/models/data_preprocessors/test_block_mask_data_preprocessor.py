"""The block masks come off, any data preprocessor sees ordinary views."""

import pytest
import torch
from torch import nn

from bgaug_mm.models.data_preprocessors.block_mask_data_preprocessor import (
    BlockMaskDataPreprocessor,
)

MEAN, STD = [10.0, 20.0, 30.0], [1.0, 2.0, 4.0]


def views(*channels, sizes=(8, 8, 4), masked=(True, True, False)):
    torch.manual_seed(0)
    result = []
    for count, size, mask in zip(channels, sizes, masked, strict=True):
        view = torch.randint(2, 256, (2, count, size, size), dtype=torch.uint8)
        if mask:
            view[:, -1] = torch.randint(0, 2, (2, size, size))
        result.append(view)
    return result


@pytest.mark.parametrize('training', [False, True])
@pytest.mark.parametrize('kind', ['mmpretrain.SelfSup', 'bgaug_mm.Background'])
def test_views_and_masks(kind, training):
    __import__('mmpretrain.models')
    base = dict(type=f'{kind}DataPreprocessor', mean=MEAN, std=STD, to_rgb=True)
    inputs = views(4, 4, 3)
    before = [view.clone() for view in inputs]
    data = BlockMaskDataPreprocessor(base=base)({'inputs': inputs, 'data_samples': [1]}, training)
    for output, view in zip(data['inputs'], before, strict=True):
        rgb = view[:, :3].flip(1).float()
        expected = (rgb - torch.tensor(MEAN).view(3, 1, 1)) / torch.tensor(STD).view(3, 1, 1)
        torch.testing.assert_close(output, expected)
    assert data['data_samples'] == [1]
    assert len(data['block_masks']) == 2
    for mask, view in zip(data['block_masks'], before, strict=False):
        assert mask.dtype == torch.bool and torch.equal(mask, view[:, -1] == 1)
    for view, original in zip(inputs, before, strict=True):
        assert torch.equal(view, original), 'the batch is left alone'


def test_saliency_masks_stay_with_the_views():
    """RGB, saliency, block mask: a background operation finds its mask as the fourth channel."""
    base = dict(type='bgaug_mm.BackgroundDataPreprocessor', append_masks=True)
    inputs = views(5, 5, 4)
    data = BlockMaskDataPreprocessor(base=base)({'inputs': inputs}, True)
    saliency = data['inputs'][3:]
    for mask, view in zip(saliency, inputs, strict=True):
        torch.testing.assert_close(mask, view[:, 3:4].float() / 255)
    for mask, view in zip(data['block_masks'], inputs, strict=False):
        assert torch.equal(mask, view[:, 4] == 1)


def test_without_masks_where_none_are_needed():
    """Scoring and inference; one tensor as well as views."""
    preprocessor = BlockMaskDataPreprocessor(base=dict(type='bgaug_mm.BackgroundDataPreprocessor'))
    inputs = views(3, 3, 3, masked=(False,) * 3)
    data = preprocessor({'inputs': inputs})
    assert 'block_masks' not in data and len(data['inputs']) == 3
    assert torch.equal(preprocessor({'inputs': inputs[0]})['inputs'], inputs[0].float())


def test_views_that_were_not_stacked():
    inputs = views(4, 4, 3)
    preprocessor = BlockMaskDataPreprocessor(base=dict(type='bgaug_mm.BackgroundDataPreprocessor'))
    stacked = preprocessor({'inputs': inputs}, True)
    lists = preprocessor({'inputs': [list(view) for view in inputs]}, True)
    for key in ('inputs', 'block_masks'):
        assert all(torch.equal(a, b) for a, b in zip(stacked[key], lists[key], strict=True))


def test_a_module_and_a_device():
    class Base(nn.Module):
        def forward(self, data, training=False):
            return dict(inputs=[view.double() for view in data['inputs']], data_samples=None)

    preprocessor = BlockMaskDataPreprocessor(base=Base())
    data = preprocessor({'inputs': views(4, 4, 3)}, True)
    assert data['inputs'][0].shape == (2, 3, 8, 8) and data['inputs'][0].dtype == torch.double
    preprocessor = preprocessor.to('meta')
    assert preprocessor({'inputs': views(4, 4, 3)}, True)['block_masks'][0].device.type == 'meta'


def test_bad_input():
    preprocessor = BlockMaskDataPreprocessor(base=dict(type='bgaug_mm.BackgroundDataPreprocessor'))
    with pytest.raises(ValueError, match=r'have no block masks: put `dict\(type=.*RandomBlockMask'):
        preprocessor({'inputs': views(3, 3, 3, masked=(False,) * 3)}, True)
    with pytest.raises(ValueError, match='of 0 and 1, but has larger values'):
        preprocessor({'inputs': views(4, 4, 3, masked=(True, False, False))}, True)
