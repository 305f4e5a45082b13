"""Upstream's algorithms, extended; registered as ``bgaug_mm.X``.

Importing this package imports neither mmselfsup nor mmpretrain.
"""

from .image_mixture import ImageMixture
from .matched_negatives_moco import MatchedNegativesMoCo

__all__ = ['ImageMixture', 'MatchedNegativesMoCo']
