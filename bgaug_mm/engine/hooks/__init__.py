"""Hooks."""

from .average_predictions_hook import AveragePredictionsHook
from .channels_last_hook import ChannelsLastHook
from .collapse_hook import CollapseHook
from .freeze_last_layer_hook import FreezeLastLayerHook
from .hard_view_selection_hook import HardViewSelectionHook
from .precise_bn_hook import PreciseBNHook
from .pretrained_backbone_hook import PretrainedBackboneHook
from .sample_seed_hook import SampleSeedHook

__all__ = [
    'AveragePredictionsHook',
    'ChannelsLastHook',
    'CollapseHook',
    'FreezeLastLayerHook',
    'HardViewSelectionHook',
    'PreciseBNHook',
    'PretrainedBackboneHook',
    'SampleSeedHook',
]
