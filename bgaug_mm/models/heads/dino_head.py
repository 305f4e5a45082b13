"""Projection head with prototypes of unit length."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bgaug_mm.registry import MODELS


class Prototypes(nn.Module):
    """Dot products with unit vectors, times a gain: a weight-normalised linear layer.

    Equal to ``weight_norm(nn.Linear(in_channels, out_channels, bias=False))``, of which the
    weights are the directions and the gain the lengths. Written out because torch's two
    versions of it name their parameters differently.

    Args:
        in_channels (int): Length of the input vectors.
        out_channels (int): Number of prototypes.
        learn_gain (bool): Whether the lengths are learnt; else they are 1. Defaults to False.
    """

    def __init__(self, in_channels: int, out_channels: int, *, learn_gain: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(out_channels, in_channels))
        self.gain = nn.Parameter(torch.ones(out_channels)) if learn_gain else None
        nn.init.trunc_normal_(self.weight, std=0.02)

    def forward(self, features: Tensor) -> Tensor:
        """(…, in_channels) to (…, out_channels)."""
        logits = F.linear(features, F.normalize(self.weight, dim=1))
        return logits if self.gain is None else logits * self.gain


@MODELS.register_module()
class DINOHead(nn.Module):
    """MLP, L2 normalisation, prototypes.

    Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021,
    section 3.2 and appendix C: three layers with GELU, a bottleneck without activation, unit
    vectors, a weight-normalised layer without bias.

    Args:
        in_channels (int): Length of the backbone's features.
        out_channels (int): Number of prototypes K. Defaults to 65536.
        hidden_channels (int): Width of the MLP. Defaults to 2048.
        bottleneck_channels (int): Length of the unit vectors. Defaults to 256.
        num_layers (int): Layers of the MLP, at least 1. Defaults to 3.
        with_bn (bool): Batch normalisation behind the hidden layers. Defaults to False.
        norm_last_layer (bool): Keep the prototypes' lengths at 1 instead of learning them.
            Defaults to True.

    Raises:
        ValueError: If a number is below 1.
    """

    def __init__(
        self,
        *,
        in_channels: int,
        out_channels: int = 65536,
        hidden_channels: int = 2048,
        bottleneck_channels: int = 256,
        num_layers: int = 3,
        with_bn: bool = False,
        norm_last_layer: bool = True,
    ) -> None:
        super().__init__()
        for name, value in (
            ('in_channels', in_channels),
            ('out_channels', out_channels),
            ('hidden_channels', hidden_channels),
            ('bottleneck_channels', bottleneck_channels),
            ('num_layers', num_layers),
        ):
            if value < 1:
                raise ValueError(f'`{name}` must be at least 1, but got {value}')
        self.out_channels = out_channels
        widths = [in_channels, *[hidden_channels] * (num_layers - 1), bottleneck_channels]
        layers: list[nn.Module] = []
        for width, next_width in pairwise(widths):
            linear = nn.Linear(width, next_width)
            nn.init.trunc_normal_(linear.weight, std=0.02)
            nn.init.zeros_(linear.bias)
            layers += [linear, *([nn.BatchNorm1d(next_width)] if with_bn else []), nn.GELU()]
        #: Without the normalisation and the activation behind the bottleneck.
        self.mlp = nn.Sequential(*layers[: -2 if with_bn else -1])
        self.last_layer = Prototypes(
            bottleneck_channels, out_channels, learn_gain=not norm_last_layer
        )

    def forward(self, features: Tensor) -> Tensor:
        """Logits (…, out_channels) of features (…, in_channels)."""
        return self.last_layer(F.normalize(self.mlp(features), dim=-1))
