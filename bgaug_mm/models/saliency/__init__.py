"""A small saliency network and how it learns from pseudo labels; registered as ``bgaug_mm.X``."""

from .encoder import SaliencyEncoder
from .f_beta_loss import FBetaLoss
from .learner import SaliencyLearner
from .network import SaliencyNet

__all__ = ['FBetaLoss', 'SaliencyEncoder', 'SaliencyLearner', 'SaliencyNet']
