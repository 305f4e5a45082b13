"""Saliency estimators, one file each; see :mod:`bgaug_mm.saliency.base`."""

from .base import SaliencyEstimator, build_estimator
from .fine_grained import FineGrained
from .found import Found
from .gs import GS
from .learned import Learned
from .mbplus import MBPlus
from .onnx_network import OnnxNetwork
from .rbd import RBD
from .spectral_residual import SpectralResidual
from .tokencut import TokenCut
from .u2netp import U2NetP
from .vit_attention import VitAttention

__all__ = [
    'GS',
    'RBD',
    'FineGrained',
    'Found',
    'Learned',
    'MBPlus',
    'OnnxNetwork',
    'SaliencyEstimator',
    'SpectralResidual',
    'TokenCut',
    'U2NetP',
    'VitAttention',
    'build_estimator',
]
