"""The network: shapes, size, what it may depend on."""

import pytest
import torch

from bgaug_mm.models import SaliencyNet

SMALL = dict(type='bgaug_mm.SaliencyEncoder', widths=(4, 6, 8))


@pytest.mark.parametrize('size', [(64, 64), (31, 50), (1, 1), (2, 300)])
def test_logits_have_the_size_of_the_image(size) -> None:
    assert SaliencyNet(encoder=SMALL).eval()(torch.randn(2, 3, *size)).shape == (2, 1, *size)


def test_is_smaller_than_u2netp() -> None:
    count = sum(parameter.numel() for parameter in SaliencyNet().parameters())
    assert count == 718_433
    assert count < 1_130_000


def test_images_of_a_batch_do_not_mix() -> None:
    torch.manual_seed(0)
    network, images = SaliencyNet(encoder=SMALL).eval(), torch.randn(3, 3, 24, 24)
    alone = torch.cat([network(image[None]) for image in images])
    torch.testing.assert_close(network(images), alone)


def test_every_parameter_learns() -> None:
    network = SaliencyNet(encoder=SMALL)
    network(torch.randn(2, 3, 32, 32)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
