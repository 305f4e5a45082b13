"""Saliency estimators, one file each; see :mod:`bgaug_mm.saliency.base`."""

from .base import SaliencyEstimator, build_estimator
from .fine_grained import FineGrained
from .gs import GS
from .mbplus import MBPlus
from .onnx_network import OnnxNetwork
from .rbd import RBD
from .spectral_residual import SpectralResidual
from .u2netp import U2NetP

__all__ = [
    'GS',
    'RBD',
    'FineGrained',
    'MBPlus',
    'OnnxNetwork',
    'SaliencyEstimator',
    'SpectralResidual',
    'U2NetP',
    'build_estimator',
]
