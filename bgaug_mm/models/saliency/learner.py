"""Trains a saliency network on pseudo labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor
from torch.nn import functional as F

from bgaug_mm.registry import MODELS

from .f_beta_loss import FBetaLoss

#: ImageNet's mean and standard deviation, RGB, 0 to 255: what U²-Net's exports take as well.
MEAN = (123.675, 116.28, 103.53)
STD = (58.395, 57.12, 57.375)


@MODELS.register_module()
class SaliencyLearner(BaseModel):
    """A saliency network and its loss against pseudo labels.

    ``f_beta_weight · (1 - F_β) + bce_weight · BCE``. The F-measure of whole images is
    DeepUSPS' loss (Nguyen et al., NeurIPS 2019, section 3.1). It says nothing on images
    without foreground and has flat regions at the start; the binary cross-entropy added to it
    is our choice, and so is the weight.

    Args:
        network (dict): Config of the network, which maps (B, 3, H, W) to logits (B, 1, H, W).
        f_beta_weight (float): From 0. Defaults to 1.
        bce_weight (float): From 0. Defaults to 1.
        beta2 (float): β² of :class:`~bgaug_mm.models.saliency.FBetaLoss`. Defaults to 0.3.
        threshold (float, optional): Targets are 1 from here on, else 0; in (0, 1). Defaults to
            None: as soft as they are.
        to_rgb (bool): Whether the images come as BGR, as mmcv loads them. Defaults to True.
        data_preprocessor (dict, optional): Defaults to None: moves the batch to the device.
        init_cfg (dict, optional): mmengine's initialisation.

    Raises:
        ValueError: If an option is out of range.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        *,
        network: Mapping[str, Any],
        f_beta_weight: float = 1.0,
        bce_weight: float = 1.0,
        beta2: float = 0.3,
        threshold: float | None = None,
        to_rgb: bool = True,
        data_preprocessor: Mapping[str, Any] | None = None,
        init_cfg: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(
            None if data_preprocessor is None else dict(data_preprocessor),
            None if init_cfg is None else dict(init_cfg),
        )
        if f_beta_weight < 0 or bce_weight < 0 or not f_beta_weight + bce_weight:
            raise ValueError(
                '`f_beta_weight` and `bce_weight` must be at least 0 and not both 0, but got '
                f'{f_beta_weight} and {bce_weight}'
            )
        if threshold is not None and not 0 < threshold < 1:
            raise ValueError(f'`threshold` must be None or in (0, 1), but got {threshold}')
        self.network = MODELS.build(dict(network))
        self.f_beta = FBetaLoss(beta2=beta2)
        self.f_beta_weight = f_beta_weight
        self.bce_weight = bce_weight
        self.threshold = threshold
        self.to_rgb = to_rgb
        for name, values in (('mean', MEAN), ('std', STD)):
            self.register_buffer(name, torch.tensor(values).view(1, 3, 1, 1), persistent=False)

    def forward(self, inputs: Any, data_samples: Any = None, mode: str = 'tensor') -> Any:
        """``loss``, ``predict`` or, as 'tensor', the logits (B, 1, H, W).

        Args:
            inputs (Tensor | Sequence[Tensor]): Images (B, 3 or 4, H, W), bytes; the fourth
                channel is the target. A list must hold one view.
            data_samples (Any): Not used. Defaults to None.
            mode (str): Defaults to 'tensor'.

        Raises:
            ValueError: For another mode, other shapes or several views.
        """
        images = _one_view(inputs)
        if mode == 'loss':
            return self.loss(images)
        if mode == 'predict':
            return self.predict(images)
        if mode == 'tensor':
            return self.network(self._normalised(images))
        raise ValueError(f"`mode` must be 'loss', 'predict' or 'tensor', but got {mode!r}")

    def loss(self, inputs: Tensor) -> dict[str, Tensor]:
        """Losses of images with their targets.

        Args:
            inputs (Tensor): (B, 4, H, W), 0 to 255: the image and its pseudo label.

        Returns:
            dict[str, Tensor]: ``loss_f_beta`` and ``loss_bce``, those with a weight.
        """
        if inputs.shape[1] != 4:
            raise ValueError(
                'training needs the pseudo label as the fourth channel, but got images of '
                f'{inputs.shape[1]} channels: use PackSaliencyInputs(with_mask=True)'
            )
        target = inputs[:, 3:].float() / 255
        if self.threshold is not None:
            target = (target >= self.threshold).float()
        logits = self.network(self._normalised(inputs)).float()
        losses = {}
        if self.f_beta_weight:
            losses['loss_f_beta'] = self.f_beta_weight * self.f_beta(logits.sigmoid(), target)
        if self.bce_weight:
            bce = F.binary_cross_entropy_with_logits(logits, target)
            losses['loss_bce'] = self.bce_weight * bce
        return losses

    def predict(self, inputs: Tensor) -> Tensor:
        """Saliency (B, H, W) in [0, 1], float32, of images (B, 3 or 4, H, W)."""
        saliency: Tensor = self.network(self._normalised(inputs)).float().sigmoid()
        return saliency[:, 0]

    def _normalised(self, inputs: Tensor) -> Tensor:
        images = inputs[:, :3]
        if self.to_rgb:
            images = images.flip(1)
        images = (images - self.mean) / self.std
        return images.contiguous(memory_format=torch.channels_last)  # a third faster on a CPU


def _one_view(inputs: Any) -> Tensor:
    if isinstance(inputs, Sequence):
        if len(inputs) != 1:
            raise ValueError(f'one view of each image is needed, but got {len(inputs)}')
        inputs = inputs[0]
    if inputs.dim() != 4 or inputs.shape[1] not in (3, 4):
        raise ValueError(f'images must be (B, 3 or 4, H, W), but got {tuple(inputs.shape)}')
    images: Tensor = inputs
    return images
