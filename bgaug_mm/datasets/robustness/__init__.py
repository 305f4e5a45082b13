"""Robustness sets of ImageNet in the layouts of their authors."""

from .base import RobustnessSet
from .class_folders import imagenet_wnids
from .imagenet9 import IMAGENET9_SUBSETS, ImageNet9, read_in_to_in9
from .imagenet_c import CORRUPTIONS, SEVERITIES, ImageNetC
from .imagenet_folders import ImageNetA, ImageNetR, ImageNetSketch
from .imagenet_v2 import IMAGENET_V2_FOLDERS, ImageNetV2
from .imagenet_val import ImageNetReaL, ImageNetVal
from .objectnet import ObjectNet

__all__ = [
    'CORRUPTIONS',
    'IMAGENET9_SUBSETS',
    'IMAGENET_V2_FOLDERS',
    'SEVERITIES',
    'ImageNet9',
    'ImageNetA',
    'ImageNetC',
    'ImageNetR',
    'ImageNetReaL',
    'ImageNetSketch',
    'ImageNetV2',
    'ImageNetVal',
    'ObjectNet',
    'RobustnessSet',
    'imagenet_wnids',
    'read_in_to_in9',
]
