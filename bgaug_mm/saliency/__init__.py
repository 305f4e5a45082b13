"""Saliency estimators, one file each; see :mod:`bgaug_mm.saliency.base`."""

from .base import SaliencyEstimator, build_estimator

__all__ = ['SaliencyEstimator', 'build_estimator']
