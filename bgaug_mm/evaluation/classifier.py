"""A frozen backbone and its linear probe as one network."""

from __future__ import annotations

from torch import Tensor, nn

from .features import FrozenBackbone
from .linear_probe import LinearProbe


class FrozenClassifier(nn.Module):
    """Logits of images: what attacks, heat maps and robustness sets look at.

    Weights take no gradients; images of a floating dtype do.

    Args:
        backbone (FrozenBackbone): With its normalisation.
        probe (LinearProbe): Fitted on its features.
    """

    weight: Tensor
    bias: Tensor

    def __init__(self, backbone: FrozenBackbone, probe: LinearProbe) -> None:
        super().__init__()
        self.backbone = backbone
        # the probe standardises features first: one linear map does both
        weight = probe.weight / probe.std
        self.register_buffer('weight', weight.float())
        self.register_buffer('bias', (probe.bias - weight @ probe.mean).float())
        self.eval()

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, C), float32, of BGR images (N, 3, H, W) in 0..255, uint8 or floating."""
        return self.backbone(images) @ self.weight.T + self.bias
