"""Accuracy on a robustness set in a test loop of mmengine's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.evaluator import BaseMetric

from bgaug_mm.registry import METRICS

from .answers import answers


@METRICS.register_module()
class RobustnessAccuracy(BaseMetric):
    """Share of right answers in percent, the scores read as the set's ``metainfo`` says.

    For the sets of ``bgaug_mm.datasets.robustness``: their class subsets and maps
    (:func:`~bgaug_mm.evaluation.robustness.answers.answers`), and images with several right
    classes. It takes the data samples of mmpretrain (``pred_score``, ``gt_label``) and of mmcls
    (``pred_label.score``, ``gt_label.label``).

    Args:
        collect_device (str): As in mmengine's ``BaseMetric``. Defaults to 'cpu'.
        prefix (str, optional): The same. Defaults to 'robustness'.
    """

    default_prefix = 'robustness'

    def process(self, data_batch: Any, data_samples: Sequence[dict[str, Any]]) -> None:
        """Note which answers of a batch are right."""
        if 'num_classes' not in (self.dataset_meta or {}):
            raise ValueError(
                'RobustnessAccuracy needs a dataset of bgaug_mm.datasets.robustness; this one '
                f'has the metainfo {sorted(self.dataset_meta or {})}'
            )
        scores, labels = [], []
        for sample in data_samples:
            ours = 'pred_score' in sample
            scores.append(sample['pred_score'] if ours else sample['pred_label']['score'])
            labels.append(sample['gt_label'] if ours else sample['gt_label']['label'])
        given = answers(torch.stack(scores), self.dataset_meta).cpu()
        for answer, label in zip(given, labels, strict=True):
            self.results.append(bool((label.cpu() == answer).any()))

    def compute_metrics(self, results: list[bool]) -> dict[str, float]:
        """The accuracy over all images."""
        return {'accuracy': 100 * sum(results) / len(results)}
