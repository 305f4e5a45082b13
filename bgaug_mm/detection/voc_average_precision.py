"""AP, AP50 and AP75 on Pascal VOC, as papers on self-supervised learning report them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.evaluator import BaseMetric
from mmengine.logging import print_log
from torch import Tensor

from bgaug_mm.registry import METRICS

from .voc_matching import Array, eleven_point_average_precision, match_detections

#: IoU .5 : .05 : .95. Quotients, because a sum of steps is not exactly .6.
THRESHOLDS = tuple(percent / 100 for percent in range(50, 100, 5))
_COLUMNS: dict[str, Any] = {'AP': slice(None), 'AP50': 0, 'AP75': 5}


@METRICS.register_module()
class VOCAveragePrecision(BaseMetric):
    """AP over the overlaps .5 to .95, AP50 and AP75, each the 11-point mean of VOC 2007.

    He et al., "Momentum Contrast for Unsupervised Visual Representation Learning", CVPR 2020,
    section 4.2, report these three for trainval07+12 → test07; mmdet's own ``VOCMetric``
    reports AP50 alone unless told the thresholds, and rounds. Here values are in percent and
    not rounded, and the mean is over the classes that have an object to find.

    Takes the data samples of mmdet's detectors: ``pred_instances`` (``bboxes`` (N, 4), xyxy
    in pixels of the original image, the last pixel inside; ``scores``; ``labels``),
    ``gt_instances``, and the difficult objects as ``ignored_instances``.

    Args:
        collect_device (str): As in mmengine's ``BaseMetric``. Defaults to 'cpu'.
        prefix (str, optional): The same. Defaults to 'pascal_voc'.
    """

    default_prefix = 'pascal_voc'

    def process(self, data_batch: Any, data_samples: Sequence[Mapping[str, Any]]) -> None:
        """Note which detections of a batch are true."""
        for sample in data_samples:
            found, truth, ignored = (
                {key: _numpy(sample[part][key]) for key in ('bboxes', 'labels')}
                for part in ('pred_instances', 'gt_instances', 'ignored_instances')
            )
            scores = _numpy(sample['pred_instances']['scores'])
            boxes = np.concatenate([truth['bboxes'], ignored['bboxes']])
            labels = np.concatenate([truth['labels'], ignored['labels']])
            difficult = np.arange(len(labels)) >= len(truth['labels'])
            result: dict[int, tuple[Array, Array, int]] = {}
            for label in np.union1d(found['labels'], truth['labels']):
                mine, theirs = np.flatnonzero(found['labels'] == label), labels == label
                mine = mine[np.argsort(-scores[mine], kind='stable')]
                states = match_detections(
                    found['bboxes'][mine], boxes[theirs], difficult[theirs], THRESHOLDS
                )
                objects = int((~difficult[theirs]).sum())
                result[int(label)] = scores[mine], states, objects
            self.results.append(result)

    def compute_metrics(self, results: list[dict[int, tuple[Array, Array, int]]]) -> dict[str, Any]:
        """The three means over classes, in percent, and a table of the classes in the log.

        Raises:
            ValueError: If there is nothing to find.
        """
        table: dict[int, list[float]] = {}
        for label in sorted({label for result in results for label in result}):
            parts = [result[label] for result in results if label in result]
            objects = sum(part[2] for part in parts)
            if objects:
                scores = np.concatenate([part[0] for part in parts])
                states = np.concatenate([part[1] for part in parts], axis=1)
                table[label] = [
                    100 * eleven_point_average_precision(scores, row, objects) for row in states
                ]
        if not table:
            raise ValueError('no image has an object to find: are the annotations those of a test?')
        values = np.array(list(table.values()))
        names = (self.dataset_meta or {}).get('classes', ())
        lines = [f'{"class":<16}' + ''.join(f'{name:>8}' for name in _COLUMNS)]
        for label, row in zip(table, values, strict=True):
            name = names[label] if label < len(names) else str(label)
            cells = (f'{row[part].mean():8.2f}' for part in _COLUMNS.values())
            lines.append(f'{name:<16}' + ''.join(cells))
        print_log('\n'.join(lines), logger='current')
        return {name: float(values[:, part].mean()) for name, part in _COLUMNS.items()}


def _numpy(values: Tensor) -> Array:
    return values.detach().cpu().numpy()
