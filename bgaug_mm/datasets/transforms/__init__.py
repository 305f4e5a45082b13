"""Transforms for images with saliency masks."""

from .background_op import BackgroundOp
from .background_remove import BackgroundRemove
from .background_swap import BackgroundSwap
from .loading import LoadSaliencyMask
from .multi_view import MultiView
from .packing import PackSaliencyInputs
from .resized_crop import RandomResizedCrop
from .seed_sample import SeedSample

__all__ = [
    'BackgroundOp',
    'BackgroundRemove',
    'BackgroundSwap',
    'LoadSaliencyMask',
    'MultiView',
    'PackSaliencyInputs',
    'RandomResizedCrop',
    'SeedSample',
]
