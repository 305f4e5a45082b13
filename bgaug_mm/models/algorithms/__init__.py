"""Upstream's algorithms, extended, and DINO and iBOT; registered as ``bgaug_mm.X``.

Importing this package imports neither mmselfsup nor mmpretrain.
"""

from .dino import DINO
from .ibot import IBOT
from .image_mixture import ImageMixture
from .matched_negatives_moco import MatchedNegativesMoCo

__all__ = ['DINO', 'IBOT', 'ImageMixture', 'MatchedNegativesMoCo']
