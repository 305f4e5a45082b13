"""Models: data preprocessors and extensions of upstream's algorithms."""

from .algorithms import *  # noqa: F403
from .data_preprocessors import BackgroundDataPreprocessor

__all__ = ['BackgroundDataPreprocessor']
