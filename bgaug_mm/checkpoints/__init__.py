"""Backbone weights in checkpoints: read, pick, match."""

from .architecture import describe
from .matching import Matching, load_backbone_weights, load_weights, match_weights
from .picking import Network, find_networks, pick_backbone, pick_network
from .reading import RANDOM, read_checkpoint
from .stored_config import config_from_text, stored_config

__all__ = [
    'RANDOM',
    'Matching',
    'Network',
    'config_from_text',
    'describe',
    'find_networks',
    'load_backbone_weights',
    'load_weights',
    'match_weights',
    'pick_backbone',
    'pick_network',
    'read_checkpoint',
    'stored_config',
]
