"""Takes the block masks off the views."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from mmengine.model import BaseDataPreprocessor
from torch import Tensor, nn

from bgaug_mm.registry import MODELS

_HOW = (
    "put `dict(type='bgaug_mm.RandomBlockMask')` last in the pipelines of the global views and "
    "pack with `dict(type='bgaug_mm.PackSaliencyInputs', with_block_mask=True)`"
)


class BlockMaskDataPreprocessor(BaseDataPreprocessor):
    """Take the last channel of the global views as their block masks, preprocess the rest.

    IBOT puts it around the data preprocessor of its config, which so sees ordinary views: any
    will do. The global views are the first ones, as long as they have the size of the first.

    Args:
        base (dict | nn.Module, optional): The data preprocessor of the views. Defaults to
            None: mmengine's BaseDataPreprocessor.
    """

    def __init__(self, *, base: dict[str, Any] | nn.Module | None = None) -> None:
        super().__init__()
        defaults = {'type': 'mmengine.BaseDataPreprocessor'}
        built = base if isinstance(base, nn.Module) else MODELS.build({**defaults, **(base or {})})
        self.base: nn.Module = built

    def forward(self, data: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Preprocess a batch.

        Args:
            data (dict): ``inputs``: a list of views (B, C, H, W), uint8, the last channel of
                the global ones their block mask in {0, 1}. When not training also views
                without block masks, (B, 3, H, W), or one such tensor. The rest is passed on.
            training (bool): Handed on; in training the masks must be there. Defaults to
                False.

        Returns:
            dict: What ``base`` returns, and ``block_masks``: masks (B, H, W), bool, of the G
            global views, if there are any.

        Raises:
            ValueError: If the masks are missing in training, or if the last channel has other
                values than 0 and 1.
        """
        views = data['inputs']
        if isinstance(views, Tensor):
            return dict(self.base(data, training))
        views = [view if isinstance(view, Tensor) else torch.stack(list(view)) for view in views]
        is_global = [view.shape[-2:] == views[0].shape[-2:] for view in views]
        num_globals = [*is_global, False].index(False)
        channels = {view.shape[1] for view in views[:num_globals]}
        if channels == {3}:
            if training:
                raise ValueError(f'the global views have no block masks: {_HOW}')
            return dict(self.base({**data, 'inputs': views}, training))
        masks = [view[:, -1] for view in views[:num_globals]]
        if any(mask.max() > 1 for mask in masks if mask.device.type == 'cpu'):
            # most likely the saliency mask; on a device the look would have to wait for it
            raise ValueError(
                'the last channel of the global views must be their block mask, of 0 and 1, but '
                f'has larger values: {_HOW}'
            )
        bare = [view[:, :-1] if i < num_globals else view for i, view in enumerate(views)]
        output = dict(self.base({**data, 'inputs': bare}, training))
        output['block_masks'] = [mask.bool() for mask in self.cast_data(masks)]
        return output
