"""Memory order inside the network, and that nothing but the order changes."""

from types import SimpleNamespace

import pytest
import torch
from mmengine.registry import MODEL_WRAPPERS
from torch import nn

from bgaug_mm.engine.hooks import ChannelsLastHook
from bgaug_mm.registry import MODELS

CHANNELS_LAST = dict(memory_format=torch.channels_last)


def resnet():
    torch.manual_seed(0)
    return MODELS.build(
        dict(type='mmcls.ResNet', depth=18, stem_channels=16, base_channels=16, out_indices=(3,))
    )


def step(model, images):
    """The feature map and the gradient of the first weight."""
    model.train()
    (features,) = model(images)
    torch.manual_seed(1)  # not their mean square, which BN makes a constant
    (features * torch.randn(features.shape)).mean().backward()
    return features, next(model.parameters()).grad


def test_the_network_computes_in_channels_last_and_finds_the_same():
    torch.manual_seed(2)
    images = torch.randn(8, 3, 64, 64)
    plain, plain_grad = step(resnet(), images)
    assert not plain.is_contiguous(**CHANNELS_LAST)
    model, hook = resnet(), ChannelsLastHook()
    runner = SimpleNamespace(model=model)
    hook.before_train(runner)
    features, grad = step(model, images)
    assert features.is_contiguous(**CHANNELS_LAST)
    torch.testing.assert_close(features, plain, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(
        grad, plain_grad, rtol=1e-3, atol=1e-4 * float(plain_grad.abs().max())
    )
    assert all(weight.is_contiguous() for weight in model.state_dict().values())
    hook.after_train(runner)
    assert not step(model, images)[0].is_contiguous(**CHANNELS_LAST)


def test_wrapped_models_and_copies_of_the_network():
    wrapper = type('Wrapper', (nn.Module,), {})
    MODEL_WRAPPERS.register_module(name='ChannelsLastWrapper', module=wrapper, force=True)
    model = wrapper()
    model.module = nn.ModuleDict({'backbone': resnet(), 'target_net': resnet()})
    ChannelsLastHook().before_train(SimpleNamespace(model=model))
    for network in model.module.values():
        assert step(network, torch.randn(2, 3, 64, 64))[0].is_contiguous(**CHANNELS_LAST)


@pytest.mark.parametrize('bad', [0, 3.0, None])
def test_bad_channels(bad):
    with pytest.raises(ValueError, match=r'`in_channels` must be an integer from 1, but got'):
        ChannelsLastHook(in_channels=bad)


def test_no_such_convolution():
    runner = SimpleNamespace(model=resnet())
    with pytest.raises(ValueError, match=r'no Conv2d of ResNet takes `in_channels`=4 channels'):
        ChannelsLastHook(in_channels=4).before_train(runner)
