"""One minus the F-measure, differentiable."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from bgaug_mm.registry import MODELS


@MODELS.register_module()
class FBetaLoss(nn.Module):
    """``1 - F_β`` of each image, averaged over the images that have a foreground.

    ``F_β = (1 + β²) Σpt / (β² Σt + Σp)``, the sums over the pixels of one image, p the
    prediction and t the target: the F-measure of precision Σpt/Σp and recall Σpt/Σt.
    Nguyen et al., "DeepUSPS", NeurIPS 2019, section 3.1, with β² = 0.3. A measure of the whole
    image forgives what single pixels of a noisy label demand. With targets between 0 and 1
    (the paper has binary ones) the sums are the same; that is our extension, as is leaving
    out images whose target's mean is below ``min_target`` (an augmentation cut the object
    away; F_β is 0 whatever is predicted).

    Args:
        beta2 (float): β², above 0; below 1 precision weighs more. Defaults to 0.3.
        min_target (float): In [0, 1]. Defaults to 0.005.

    Raises:
        ValueError: If an option is out of range.
    """

    def __init__(self, *, beta2: float = 0.3, min_target: float = 0.005) -> None:
        super().__init__()
        if not beta2 > 0:
            raise ValueError(f'`beta2` must be above 0, but got {beta2}')
        if not 0 <= min_target <= 1:
            raise ValueError(f'`min_target` must be in [0, 1], but got {min_target}')
        self.beta2 = beta2
        self.min_target = min_target

    def forward(self, prediction: Tensor, target: Tensor) -> Tensor:
        """The loss.

        Args:
            prediction (Tensor): (B, …) in [0, 1].
            target (Tensor): Of the same shape, in [0, 1].

        Returns:
            Tensor: Scalar, float32; 0 when no image has a foreground.
        """
        p, t = prediction.float().flatten(1), target.float().flatten(1)
        hit = (p * t).sum(1)
        score = (1 + self.beta2) * hit / (self.beta2 * t.sum(1) + p.sum(1)).clamp_min(1e-6)
        counted = (t.mean(1) >= self.min_target).float()
        loss: Tensor = ((1 - score) * counted).sum() / torch.clamp(counted.sum(), min=1)
        return loss
