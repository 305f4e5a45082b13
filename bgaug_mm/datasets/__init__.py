"""Datasets, transforms and sources of backgrounds."""

from .collate import default_collate
from .mask_store import MaskFolder, MaskStore, write_mask
from .saliency_mask_dataset import SaliencyMaskDataset

__all__ = ['MaskFolder', 'MaskStore', 'SaliencyMaskDataset', 'default_collate', 'write_mask']
