"""Upstream's algorithms, extended; registered as ``bgaug_mm.X``.

Importing this package imports neither mmselfsup nor mmpretrain.
"""

from .matched_negatives_moco import MatchedNegativesMoCo

__all__ = ['MatchedNegativesMoCo']
