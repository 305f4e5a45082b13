"""The contracting half of the saliency network, a backbone of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.model import BaseModule
from torch import Tensor, nn

from bgaug_mm.registry import MODELS


def conv_bn_relu(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    """Convolution, batch norm, ReLU; the size divided by the stride, rounded up."""
    conv = nn.Conv2d(inputs, outputs, kernel, stride=stride, padding=kernel // 2, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True))


class Stage(nn.Module):
    """Half the size, other width; then a residual 3×3 convolution."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.reduce = conv_bn_relu(inputs, outputs, stride=2)
        self.conv = nn.Conv2d(outputs, outputs, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(outputs)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to (B, C', ⌈H/2⌉, ⌈W/2⌉)."""
        x = self.reduce(x)
        return (x + self.norm(self.conv(x))).relu()


@MODELS.register_module()
class SaliencyEncoder(BaseModule):
    """Five stages of plain convolutions, each half the size of the one before.

    As ``backbone`` of an algorithm of mmselfsup or mmpretrain it can be pre-trained without
    labels; :class:`~bgaug_mm.models.saliency.SaliencyNet` then starts from it with
    ``encoder=dict(type='bgaug_mm.SaliencyEncoder', init_cfg=dict(type='Pretrained',
    checkpoint=PATH, prefix='backbone.'))``. Our own; plain convolutions because on a CPU
    they are faster than depthwise ones with as many operations.

    Args:
        widths (Sequence[int]): Channels of the stages, at strides 2, 4, 8, … Defaults to
            (16, 32, 64, 96, 128).
        out_indices (Sequence[int], optional): Stages to return. Defaults to None, all.
        init_cfg (dict, optional): mmengine's initialisation; None: torch's defaults.

    Raises:
        ValueError: If there are fewer than two stages, or no such stage to return.
    """

    def __init__(
        self,
        *,
        widths: Sequence[int] = (16, 32, 64, 96, 128),
        out_indices: Sequence[int] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(None if init_cfg is None else dict(init_cfg))
        if len(widths) < 2 or min(widths) < 1:
            raise ValueError(f'`widths` must be two or more positive ints, but got {widths}')
        self.widths = tuple(widths)
        chosen = range(len(widths)) if out_indices is None else out_indices
        if not all(0 <= index < len(widths) for index in chosen):
            raise ValueError(
                f'`out_indices` must be in [0, {len(widths) - 1}], but got {tuple(chosen)}'
            )
        self.out_indices = tuple(chosen)
        self.stages = nn.ModuleList(
            Stage(inputs, outputs)
            for inputs, outputs in zip((3, *self.widths), self.widths, strict=False)
        )

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        """Features of an image batch.

        Args:
            x (Tensor): (B, 3, H, W), normalised.

        Returns:
            tuple[Tensor]: (B, widths[i], ⌈H/2^(i+1)⌉, ⌈W/2^(i+1)⌉) of the stages asked for.
        """
        features = []
        for stage in self.stages:
            x = stage(x)
            features.append(x)
        return tuple(features[index] for index in self.out_indices)
