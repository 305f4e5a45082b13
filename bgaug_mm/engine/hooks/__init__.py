"""Hooks."""

from .collapse_hook import CollapseHook
from .hard_view_selection_hook import HardViewSelectionHook
from .sample_seed_hook import SampleSeedHook

__all__ = ['CollapseHook', 'HardViewSelectionHook', 'SampleSeedHook']
