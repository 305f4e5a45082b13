"""Detection transfer: what mmdet's detectors need to start from our checkpoints.

Importing this package imports no mmdet.
"""

from .known_classes_hook import KnownClassesHook
from .res_layer_extra_norm import ResLayerExtraNorm
from .voc_average_precision import VOCAveragePrecision

__all__ = ['KnownClassesHook', 'ResLayerExtraNorm', 'VOCAveragePrecision']
