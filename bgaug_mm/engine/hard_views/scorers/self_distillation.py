"""What the scorers of DINO and iBOT share: a teacher whose outputs the step can take over."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn.modules.batchnorm import _BatchNorm

from .multi_crop import MultiCropScorer


class SelfDistillationScorer(MultiCropScorer):
    """Base of the scorers of algorithms with a teacher that sees the global views alone.

    Args:
        reuse_teacher (bool): Whether the step takes over what the teacher's backbone made of
            the chosen global views, instead of passing them through it again. The teacher
            then makes its move before the scores instead of in the step: what the step
            learns is the same up to rounding. Needs views at full size
            (``score_size=None``), a teacher without batch norms and no background operation
            in the data preprocessor. Defaults to False.
    """

    def __init__(self, *, reuse_teacher: bool = False) -> None:
        self.reuse_teacher = reuse_teacher
        self._features: Tensor | None = None

    def teacher_features(self, model: Any, images: Tensor, num_globals: int) -> Tensor:
        """Features of the teacher, (G·B, …), of global views (G·B, 3, H, W).

        Raises:
            ValueError: If they are to be reused and cannot be.
        """
        if self.reuse_teacher:
            _check(model)
            model.update_teacher()
        features: Tensor = model.teacher_features(images)
        if self.reuse_teacher:
            self._features = features.view(num_globals, -1, *features.shape[1:])
        return features

    def hand_over(self, model: Any, chosen: Tensor) -> None:
        """Give the step the features of its two global views."""
        if self._features is None:
            return
        samples = torch.arange(len(chosen), device=chosen.device)
        model.reuse_teacher(self._features[chosen[:, :2].t(), samples].flatten(0, 1))
        self._features = None


def _check(model: Any) -> None:
    if any(isinstance(module, _BatchNorm) for module in model.teacher_backbone.modules()):
        raise ValueError(
            '`reuse_teacher` needs a teacher without batch norms: their statistics over the '
            'candidates are not those over the chosen views'
        )
    parts = model.data_preprocessor.modules()
    if any(getattr(part, 'background_op', None) is not None for part in parts):
        raise ValueError(
            '`reuse_teacher` needs a data preprocessor without `background_op`: the step sees '
            'other views than the scores'
        )
