"""The last stage of a ResNet as the shared head of a C4 detector, with a norm behind it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mmcv.cnn import build_norm_layer
from mmengine.model import BaseModule
from torch import Tensor

from bgaug_mm.environment import require_detection
from bgaug_mm.registry import MODELS


@MODELS.register_module()
class ResLayerExtraNorm(BaseModule):
    """One stage of mmdet's ResNet, then a normalisation layer.

    He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020,
    section 4.2: the features of self-supervised networks have other magnitudes than those of
    supervised ones, and a normalisation of the new parts, in a R50-C4 detector a layer behind
    res5, lets one schedule serve both.

    Weights have the backbone's names, ``layer4.…`` for ``stage=3``, so that they can be loaded
    from the same checkpoint; ``norm.…`` is new. Upstream's layer of this name is registered in
    mmdet by mmselfsup and by mmpretrain; this one needs neither, nor do they stand in its way.
    Unlike it, this one has no ``norm_eval`` (normalisation layers train), and it has
    ``base_channels``, for slim backbones.

    Args:
        depth (int): Of the ResNet: 18, 34, 50, 101 or 152.
        stage (int): Which of the four, counted from 0, at least 1. Defaults to 3, the last.
        stride (int): Of the stage's first block. Defaults to 2.
        dilation (int): Of the 3×3 convolutions. Defaults to 1.
        style (str): ``'pytorch'`` (the 3×3 convolution has the stride) or ``'caffe'``. Defaults
            to 'pytorch', as pre-training has it.
        base_channels (int): Width of the ResNet's first stage. Defaults to 64.
        norm_cfg (Mapping): Of all layers, the last one included. Defaults to SyncBN.
        init_cfg (dict, optional): Initialisation where no checkpoint is loaded. Defaults to
            None: the ResNet's.

    Raises:
        ValueError: If there is no such depth or stage.
        ImportError: If mmdet or the compiled operations of mmcv are missing, with the command
            that installs them.
    """

    def __init__(
        self,
        *,
        depth: int,
        stage: int = 3,
        stride: int = 2,
        dilation: int = 1,
        style: str = 'pytorch',
        base_channels: int = 64,
        norm_cfg: Mapping[str, Any] | None = None,
        init_cfg: Any = None,
    ) -> None:
        require_detection()
        from mmdet.models.backbones import ResNet
        from mmdet.models.layers import ResLayer

        if depth not in ResNet.arch_settings:
            raise ValueError(
                f'`depth` must be one of {list(ResNet.arch_settings)}, but got {depth}'
            )
        if stage not in (1, 2, 3):
            raise ValueError(f'`stage` must be 1, 2 or 3, but got {stage}')
        super().__init__(init_cfg or _INITIALISATION)
        norm_cfg = dict(norm_cfg or {'type': 'SyncBN'})
        block, blocks = ResNet.arch_settings[depth]
        width = base_channels * 2**stage
        self.name = f'layer{stage + 1}'
        layer = ResLayer(
            block,
            width // 2 * block.expansion,
            width,
            blocks[stage],
            stride=stride,
            dilation=dilation,
            style=style,
            norm_cfg=norm_cfg,
        )
        self.add_module(self.name, layer)
        self.norm = build_norm_layer(norm_cfg, width * block.expansion)[1]

    def forward(self, features: Tensor) -> Tensor:
        """(R, C, H, W) of regions to (R, 2C, H/stride, W/stride)."""
        return self.norm(getattr(self, self.name)(features))


#: mmdet's of a ResNet that starts from nothing.
_INITIALISATION = [
    dict(type='Kaiming', layer='Conv2d'),
    dict(type='Constant', val=1, layer=['_BatchNorm', 'GroupNorm']),
]
