"""Transforms for images with saliency masks."""

from .background_op import BackgroundOp
from .background_remove import BackgroundRemove
from .background_swap import BackgroundSwap
from .block_mask import RandomBlockMask
from .color_jitter import ColorJitter
from .crop_border import CropBorder
from .gamma import GammaDistortion
from .gaussian_blur import GaussianBlur
from .loading import LoadSaliencyMask
from .multi_view import MultiView
from .packing import PackSaliencyInputs
from .patch_shuffle import PatchShuffle
from .random_gaussian_blur import RandomGaussianBlur
from .random_grayscale import RandomGrayscale
from .resized_crop import RandomResizedCrop
from .seed_sample import SeedSample
from .solarize import RandomSolarize, Solarize

__all__ = [
    'BackgroundOp',
    'BackgroundRemove',
    'BackgroundSwap',
    'ColorJitter',
    'CropBorder',
    'GammaDistortion',
    'GaussianBlur',
    'LoadSaliencyMask',
    'MultiView',
    'PackSaliencyInputs',
    'PatchShuffle',
    'RandomBlockMask',
    'RandomGaussianBlur',
    'RandomGrayscale',
    'RandomResizedCrop',
    'RandomSolarize',
    'SeedSample',
    'Solarize',
]
