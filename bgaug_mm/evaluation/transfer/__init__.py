"""Detectors fine-tuned from several weights, over seeds: tools/evaluation/detection_trials.py."""

from .mini import plan_mini
from .plan import Trial, Weights, plan_trials, read_weights
from .published import PUBLISHED
from .report import markdown, plot_transfer
from .results import Transfer, collect

__all__ = [
    'PUBLISHED',
    'Transfer',
    'Trial',
    'Weights',
    'collect',
    'markdown',
    'plan_mini',
    'plan_trials',
    'plot_transfer',
    'read_weights',
]
