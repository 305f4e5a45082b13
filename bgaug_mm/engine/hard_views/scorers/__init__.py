"""Per-sample losses of the algorithms, one file each; registered in VIEW_SCORERS."""

from .barlowtwins import BarlowTwinsScorer
from .base import PairScorer, ViewScorer
from .build import build_scorer
from .byol import BYOLScorer
from .dino import DINOScorer
from .generic import GenericScorer
from .ibot import IBOTScorer
from .moco import MoCoScorer
from .mocov3 import MoCoV3Scorer
from .simclr import SimCLRScorer
from .simsiam import SimSiamScorer
from .swav import SwAVScorer

__all__ = [
    'BYOLScorer',
    'BarlowTwinsScorer',
    'DINOScorer',
    'GenericScorer',
    'IBOTScorer',
    'MoCoScorer',
    'MoCoV3Scorer',
    'PairScorer',
    'SimCLRScorer',
    'SimSiamScorer',
    'SwAVScorer',
    'ViewScorer',
    'build_scorer',
]
