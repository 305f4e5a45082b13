"""Per-sample losses of the algorithms, one file each; registered in VIEW_SCORERS."""

from .base import PairScorer, ViewScorer
from .build import build_scorer
from .dino import DINOScorer
from .simsiam import SimSiamScorer
from .swav import SwAVScorer

__all__ = [
    'DINOScorer',
    'PairScorer',
    'SimSiamScorer',
    'SwAVScorer',
    'ViewScorer',
    'build_scorer',
]
