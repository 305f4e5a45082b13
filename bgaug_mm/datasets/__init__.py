"""Datasets, transforms and sources of backgrounds."""

from .collate import default_collate
from .image_name_subset import ImageNameSubset
from .mask_store import (
    MaskFolder,
    MaskStore,
    PackedMaskStore,
    open_mask_store,
    read_mask,
    write_mask,
)
from .robustness import RobustnessSet
from .saliency_mask_dataset import SaliencyMaskDataset

__all__ = [
    'ImageNameSubset',
    'MaskFolder',
    'MaskStore',
    'PackedMaskStore',
    'RobustnessSet',
    'SaliencyMaskDataset',
    'default_collate',
    'open_mask_store',
    'read_mask',
    'write_mask',
]
