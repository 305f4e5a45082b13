"""Detection transfer: what mmdet's detectors need to start from our checkpoints.

Importing this package imports no mmdet.
"""

from .res_layer_extra_norm import ResLayerExtraNorm
from .voc_average_precision import VOCAveragePrecision

__all__ = ['ResLayerExtraNorm', 'VOCAveragePrecision']
