"""How much features differ from those along the image's border."""

from __future__ import annotations

import torch
from torch import Tensor


def border_contrast(features: Tensor, *, share: float = 0.1, limit: float = 6.0) -> Tensor:
    """Distance of each feature from its mean along the border, in standard deviations there.

    The border is mostly background (Wei et al., "Geodesic Saliency Using Background Priors",
    ECCV 2012), so what deviates from it stands out, whatever the background is made of; the
    backgroundness of MB+ is the same in colours. In learned features it is ours. Without it
    a small network has to learn each kind of background by itself.

    Args:
        features (Tensor): (B, C, H, W).
        share (float): Width of the band along each side as a share of the height or width, at
            least one position. Defaults to 0.1.
        limit (float): Larger distances are cut. Defaults to 6.

    Returns:
        Tensor: (B, C, H, W) in [0, limit]; 0 where a channel is constant.
    """
    height, width = (int(side) for side in features.shape[-2:])  # tensors while tracing
    rows, columns = max(1, round(share * height)), max(1, round(share * width))
    band = torch.cat(
        [
            features[..., :rows, :].flatten(2),
            features[..., -rows:, :].flatten(2),
            features[..., rows:-rows, :columns].flatten(2),
            features[..., rows:-rows, -columns:].flatten(2),
        ],
        2,
    )
    mean = band.mean(2)[..., None, None]
    # spelled out because the exporter of torch 2.0 has no variance along one axis
    variance = (band - mean[..., 0]).square().mean(2)[..., None, None]
    # features behind a batch norm spread by about 1: a tenth of it is taken for noise
    return ((features - mean) * (variance + 0.05).rsqrt()).abs().clamp(max=limit)
