"""What DINO and iBOT share: how views are grouped, what moves with the iteration."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import groupby
from typing import Any

from mmengine.logging import MessageHub
from torch import Tensor


def check_views(inputs: Any) -> list[Tensor]:
    """The preprocessed views of a batch, (B, 3, H, W) each.

    Raises:
        ValueError: If they are not two or more float tensors.
    """
    views = list(inputs) if isinstance(inputs, (list, tuple)) else [inputs]
    if len(views) < 2:
        raise ValueError(f'two or more views of each image are needed, but got {len(views)}')
    for view in views:
        if view.dim() != 4 or view.shape[1] != 3 or not view.is_floating_point():
            raise ValueError(
                'a view must come from the data preprocessor as floats (B, 3, H, W), but got '
                f'{tuple(view.shape)} {view.dtype}; name one that normalises as '
                "`data_preprocessor`, e.g. dict(type='mmpretrain.SelfSupDataPreprocessor', …)"
            )
    return views


def count_globals(views: Sequence[Tensor]) -> int:
    """How many views are global: the first ones, as long as their size is the first's."""
    return len(group_by_size(views)[0])


def group_by_size(views: Sequence[Tensor]) -> list[list[Tensor]]:
    """Neighbouring views of one size together: one pass each."""
    return [list(group) for _, group in groupby(views, key=lambda view: view.shape[-2:])]


def cosine(start: float, end: float, progress: float) -> float:
    """From ``start`` at 0 to ``end`` at 1 along half a cosine."""
    return end + (start - end) * (1 + math.cos(math.pi * progress)) / 2


def current_iteration() -> tuple[int, int]:
    """Iteration of the training, from 0, and how many there are; (0, 1) outside of one."""
    hub = MessageHub.get_current_instance()
    return hub.get_info('iter') or 0, hub.get_info('max_iters') or 1
