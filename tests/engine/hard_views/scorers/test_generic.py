"""The generic scorer."""

import torch
from torch import nn

from bgaug_mm.engine.hard_views.scorers import GenericScorer


class Model(nn.Module):
    def __init__(self, neck=True):
        super().__init__()
        self.backbone = nn.Conv2d(3, 4, 3)
        self.neck = nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten()) if neck else None


def test_negative_cosine_by_hand():
    model = nn.Module()
    model.backbone = nn.Flatten()
    views = [torch.tensor([[1.0, 0], [3, 4]]), torch.tensor([[0.0, 2], [-3, -4]])]
    losses = GenericScorer().pair_losses(model, views)
    torch.testing.assert_close(
        losses, torch.tensor([[[-1.0, 0], [0, -1]], [[-1, 1], [1, -1]]]), atol=1e-6, rtol=0
    )


def test_maps_tuples_and_models_without_neck():
    views = [torch.randn(2, 3, 8, 8) for _ in range(3)]
    with_neck, without = Model(), Model(neck=False)
    without.backbone = with_neck.backbone
    expected = GenericScorer().pair_losses(with_neck, views)
    torch.testing.assert_close(GenericScorer().pair_losses(without, views), expected)

    class Stages(nn.Module):  # as upstream's backbones and necks
        def forward(self, x):
            return x.new_zeros(len(x), 2, 4, 4), with_neck.backbone(x)

    without.backbone = Stages()
    torch.testing.assert_close(GenericScorer().pair_losses(without, views), expected)
