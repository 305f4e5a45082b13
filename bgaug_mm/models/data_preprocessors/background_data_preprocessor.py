"""Background operations on the whole batch, on the device."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import ImgDataPreprocessor
from torch import Tensor

from bgaug_mm.registry import MODELS


@MODELS.register_module()
class BackgroundDataPreprocessor(ImgDataPreprocessor):
    """Normalise views, and take their masks along."""

    def __init__(
        self,
        *,
        background_op: Mapping[str, Any] | None = None,
        append_masks: bool = False,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        bgr_to_rgb: bool = False,
        rgb_to_bgr: bool = False,
        to_rgb: bool = False,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(
            mean=mean,
            std=std,
            bgr_to_rgb=bgr_to_rgb or to_rgb,
            rgb_to_bgr=rgb_to_bgr,
            non_blocking=non_blocking,
        )
        self.append_masks = append_masks

    @torch.no_grad()
    def forward(self, data: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Normalise; see the class."""
        views = self.cast_data(data['inputs'])
        if isinstance(views, Tensor):
            return dict(inputs=self._normalise(views[:, :3]), data_samples=data.get('data_samples'))
        inputs = [self._normalise(view[:, :3]) for view in views]
        if training and self.append_masks:
            if any(view.shape[1] != 4 for view in views):
                raise ValueError(
                    '`append_masks` needs views with their mask as the fourth channel, but got '
                    f'{[tuple(view.shape) for view in views]}; pack them with '
                    "`dict(type='bgaug_mm.PackSaliencyInputs', with_mask=True)`"
                )
            inputs += [view[:, 3:].float() / 255 for view in views]
        return dict(inputs=inputs, data_samples=data.get('data_samples'))

    def _normalise(self, images: Tensor) -> Tensor:
        if self._channel_conversion:
            images = images.flip(1)
        if not self._enable_normalize:
            return images.float()
        return torch.sub(images, self.mean.float()).div_(self.std.float())
