"""Heads of our own algorithms; registered as ``bgaug_mm.X``."""

from .dino_head import DINOHead

__all__ = ['DINOHead']
