"""Datasets, transforms and sources of backgrounds."""

from .collate import default_collate
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
