"""DINO's head: prototypes of unit length, against torch's weight normalisation."""

import copy

import pytest
import torch
from torch import nn
from torch.nn.utils import weight_norm

from bgaug_mm.models.heads import DINOHead
from bgaug_mm.models.heads.dino_head import Prototypes


@pytest.mark.filterwarnings('ignore:.*weight_norm.*')
@pytest.mark.parametrize('learn_gain', [False, True])
def test_prototypes_are_a_weight_normalised_layer(learn_gain):
    torch.manual_seed(0)
    layer = Prototypes(6, 9, learn_gain=learn_gain).double()
    reference = weight_norm(nn.Linear(6, 9, bias=False).double())
    reference.weight_v.data.copy_(layer.weight)
    reference.weight_g.data.fill_(1)
    if learn_gain:
        gain = torch.rand(9, dtype=torch.double) + 0.5
        layer.gain.data.copy_(gain)
        reference.weight_g.data.copy_(gain[:, None])
    x = torch.randn(4, 6, dtype=torch.double)
    torch.testing.assert_close(layer(x), reference(x))
    (gradient,) = torch.autograd.grad(layer(x).sin().sum(), layer.weight)
    (expected,) = torch.autograd.grad(reference(x).sin().sum(), reference.weight_v)
    torch.testing.assert_close(gradient, expected)


def test_the_length_of_a_prototype_does_not_matter():
    layer = Prototypes(4, 3)
    longer = copy.deepcopy(layer)
    longer.weight.data *= 7
    x = torch.randn(2, 4)
    torch.testing.assert_close(layer(x), longer(x))
    assert [name for name, _ in layer.named_parameters()] == ['weight']


def test_forward_by_hand():
    """Three linear layers with two GELUs, unit vectors, dot products with unit vectors."""
    torch.manual_seed(0)
    head = DINOHead(in_channels=5, out_channels=7, hidden_channels=8, bottleneck_channels=6)
    x = torch.randn(2, 3, 5)
    first, second, third = (head.mlp[i] for i in (0, 2, 4))
    y = third(nn.functional.gelu(second(nn.functional.gelu(first(x)))))
    y = y / y.norm(dim=-1, keepdim=True)
    directions = head.last_layer.weight / head.last_layer.weight.norm(dim=1, keepdim=True)
    logits = head(x)
    assert logits.shape == (2, 3, 7) and logits.abs().max() <= 1
    torch.testing.assert_close(logits, y @ directions.t())


def test_initialisation():
    head = DINOHead(in_channels=64, hidden_channels=256, out_channels=512)
    for layer in (head.mlp[0], head.mlp[2], head.mlp[4]):
        assert not layer.bias.any()
        assert float(layer.weight.detach().std()) == pytest.approx(0.02, rel=0.1)


@pytest.mark.parametrize('num_layers', [1, 2, 3])
@pytest.mark.parametrize('with_bn', [False, True])
def test_layers(num_layers, with_bn):
    head = DINOHead(
        in_channels=4, out_channels=3, hidden_channels=5, bottleneck_channels=2,
        num_layers=num_layers, with_bn=with_bn,
    )  # fmt: skip
    kinds = [type(layer) for layer in head.mlp]
    hidden = [nn.Linear, nn.BatchNorm1d, nn.GELU] if with_bn else [nn.Linear, nn.GELU]
    assert kinds == hidden * (num_layers - 1) + [nn.Linear]
    assert head(torch.randn(6, 4)).shape == (6, 3)


def test_copy_and_state_dict():
    head = DINOHead(in_channels=4, out_channels=8, hidden_channels=8, bottleneck_channels=4)
    other = DINOHead(in_channels=4, out_channels=8, hidden_channels=8, bottleneck_channels=4)
    other.load_state_dict(head.state_dict())
    x = torch.randn(2, 4)
    assert torch.equal(other(x), head(x)) and torch.equal(copy.deepcopy(head)(x), head(x))


@pytest.mark.parametrize('name', ['in_channels', 'out_channels', 'num_layers'])
def test_bad_options(name):
    with pytest.raises(ValueError, match=f'`{name}` must be at least 1, but got 0'):
        DINOHead(**{'in_channels': 4, name: 0})
