"""Hooks."""

from .collapse_hook import CollapseHook
from .sample_seed_hook import SampleSeedHook

__all__ = ['CollapseHook', 'SampleSeedHook']
