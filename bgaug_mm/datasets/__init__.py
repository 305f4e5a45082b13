"""Datasets, transforms and sources of backgrounds."""

from .mask_store import MaskFolder, MaskStore
from .saliency_mask_dataset import SaliencyMaskDataset

__all__ = ['MaskFolder', 'MaskStore', 'SaliencyMaskDataset']
