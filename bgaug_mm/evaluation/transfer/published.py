"""Published figures to compare with: mean APs in percent."""

from __future__ import annotations

from collections.abc import Mapping

_SIMSIAM = 'Chen and He, CVPR 2021, table 5'
_MMSELFSUP = "mmselfsup's model zoo"

#: Config → (method, source) → metric → percent; metrics as in
#: :data:`~bgaug_mm.evaluation.transfer.results.METRICS`.
PUBLISHED: Mapping[str, Mapping[tuple[str, str], Mapping[str, float]]] = {
    'faster-rcnn_r50-c4_24k': {
        ('supervised', _SIMSIAM): {'AP50': 81.3, 'AP': 53.5, 'AP75': 58.8},
        ('MoCo-v2, 200 epochs', 'Chen et al., arXiv 2003.04297, table 1'): {
            'AP50': 82.4, 'AP': 57.0, 'AP75': 63.6,
        },
        ('BYOL', _SIMSIAM): {'AP50': 81.4, 'AP': 55.3, 'AP75': 61.1},
        ('SwAV', _SIMSIAM): {'AP50': 81.5, 'AP': 55.4, 'AP75': 61.4},
    },
    'mask-rcnn_r50-fpn_1x': {
        ('MoCo-v2', _MMSELFSUP): {'box AP': 40.2, 'mask AP': 36.1},
        ('BYOL', _MMSELFSUP): {'box AP': 40.9, 'mask AP': 36.8},
        ('SwAV', _MMSELFSUP): {'box AP': 40.2, 'mask AP': 36.3},
    },
}  # fmt: skip
