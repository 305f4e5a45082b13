"""Models: data preprocessors and extensions of upstream's algorithms."""

from .algorithms import *  # noqa: F403
from .data_preprocessors import BackgroundDataPreprocessor
from .heads import DINOHead
from .losses import DINOLoss
from .saliency import FBetaLoss, SaliencyEncoder, SaliencyLearner, SaliencyNet

__all__ = [
    'BackgroundDataPreprocessor',
    'DINOHead',
    'DINOLoss',
    'FBetaLoss',
    'SaliencyEncoder',
    'SaliencyLearner',
    'SaliencyNet',
]
