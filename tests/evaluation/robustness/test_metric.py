import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.registry import METRICS

import bgaug_mm  # noqa: F401
from bgaug_mm.evaluation.robustness.metric import RobustnessAccuracy

IMAGENET = dict(num_classes=1000, class_indices=None, label_map=None)


def scores(best: int) -> torch.Tensor:
    return torch.eye(1000)[best] + 0.5 * torch.eye(1000)[7]


def samples(style: str, pairs: list[tuple[int, list[int]]]) -> list[dict]:
    if style == 'mmpretrain':
        return [dict(pred_score=scores(p), gt_label=torch.tensor(label)) for p, label in pairs]
    return [
        dict(pred_label=dict(score=scores(p)), gt_label=dict(label=torch.tensor(label)))
        for p, label in pairs
    ]


@pytest.mark.parametrize('style', ['mmpretrain', 'mmcls'])
def test_any_of_the_labels_is_right(style):
    metric = METRICS.build(dict(type='bgaug_mm.RobustnessAccuracy'))
    metric.dataset_meta = IMAGENET
    metric.process(None, samples(style, [(3, [3]), (3, [4]), (3, [4, 3])]))
    metric.process(None, samples(style, [(0, [1])]))
    assert metric.evaluate(4) == {'robustness/accuracy': 50.0}


def test_subset_and_map_of_the_set_count():
    metric = RobustnessAccuracy()
    metric.dataset_meta = {**IMAGENET, 'class_indices': (7, 8)}
    metric.process(None, samples('mmpretrain', [(3, [7]), (8, [8])]))
    label_map = tuple(n // 10 if n < 90 else -1 for n in range(1000))
    metric.dataset_meta = dict(num_classes=9, class_indices=None, label_map=label_map)
    metric.process(None, samples('mmpretrain', [(35, [3]), (95, [3])]))
    assert metric.evaluate(4) == {'robustness/accuracy': 75.0}


def test_another_dataset_is_refused():
    evaluator = Evaluator([RobustnessAccuracy()])
    evaluator.dataset_meta = {'classes': ['a']}
    with pytest.raises(ValueError, match=r"needs a dataset of bgaug_mm.*\['classes'\]"):
        evaluator.process(samples('mmpretrain', [(3, [3])]))
