"""Per-sample losses of the algorithms, one file each; registered in VIEW_SCORERS."""

from .base import PairScorer, ViewScorer
from .build import build_scorer
from .simsiam import SimSiamScorer

__all__ = ['PairScorer', 'SimSiamScorer', 'ViewScorer', 'build_scorer']
