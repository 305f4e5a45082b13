"""Data preprocessors: what happens to a whole batch on the device."""

from .background_data_preprocessor import BackgroundDataPreprocessor

__all__ = ['BackgroundDataPreprocessor']
