"""A fully convolutional saliency network in the shape of a U."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from mmengine.model import BaseModule
from torch import Tensor, nn
from torch.nn import functional as F

from bgaug_mm.registry import MODELS

from .border_contrast import border_contrast
from .encoder import SaliencyEncoder, conv_bn_relu


@MODELS.register_module()
class SaliencyNet(BaseModule):
    """Saliency logits of an image, as many pixels as it has.

    Our own: an encoder; beside the features of each stage their contrast to the image's
    border (:func:`~bgaug_mm.models.saliency.border_contrast.border_contrast`), at the deepest
    also the mean over the whole image; and a decoder that adds the stages from the deepest
    on. The logits are computed at half the image's size and enlarged bilinearly. Any size
    from 1×1 works. 0.72 M parameters with the default encoder (U²-Netp: 1.13 M).

    Args:
        encoder (dict, optional): Config of the encoder; a module with ``widths`` that
            returns features at strides 2, 4, 8, … Defaults to None,
            :class:`~bgaug_mm.models.saliency.SaliencyEncoder`.
        init_cfg (dict, optional): mmengine's initialisation; None: torch's defaults.
    """

    def __init__(
        self,
        *,
        encoder: Mapping[str, Any] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(None if init_cfg is None else dict(init_cfg))
        self.encoder = SaliencyEncoder() if encoder is None else MODELS.build(dict(encoder))
        widths = self.encoder.widths
        self.lateral = nn.ModuleList(conv_bn_relu(2 * own, own, kernel=1) for own in widths)
        self.context = conv_bn_relu(2 * widths[-1], widths[-1], kernel=1)
        pairs = list(pairwise(widths))[::-1]  # deepest first
        self.reduce = nn.ModuleList(conv_bn_relu(deep, own, kernel=1) for own, deep in pairs)
        self.merge = nn.ModuleList(conv_bn_relu(own, own) for own, _ in pairs)
        self.head = nn.Conv2d(widths[0], 1, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Logits; ``sigmoid`` makes saliency of them.

        Args:
            x (Tensor): (B, 3, H, W), RGB, normalised by ImageNet's mean and standard deviation.

        Returns:
            Tensor: (B, 1, H, W).
        """
        *skips, deepest = (
            lateral(torch.cat([features, border_contrast(features)], 1))
            for lateral, features in zip(self.lateral, self.encoder(x), strict=True)
        )
        mean = deepest.mean((2, 3), keepdim=True).expand_as(deepest)
        y = self.context(torch.cat([deepest, mean], 1))
        for reduce, merge, skip in zip(self.reduce, self.merge, skips[::-1], strict=True):
            y = merge(skip + _enlarge(reduce(y), skip))
        return _enlarge(self.head(y), x)


def _enlarge(x: Tensor, like: Tensor) -> Tensor:
    return F.interpolate(x, size=like.shape[-2:], mode='bilinear', align_corners=False)
