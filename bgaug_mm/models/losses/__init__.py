"""Losses of our own algorithms; registered as ``bgaug_mm.X``."""

from .dino_loss import DINOLoss

__all__ = ['DINOLoss']
