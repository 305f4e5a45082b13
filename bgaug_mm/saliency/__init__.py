"""Saliency estimators, one file each; see :mod:`bgaug_mm.saliency.base`."""

from .base import SaliencyEstimator, build_estimator
from .gs import GS
from .rbd import RBD

__all__ = ['GS', 'RBD', 'SaliencyEstimator', 'build_estimator']
