"""The metric on hand-made detections, and against mmdet's where that is installed."""

import numpy as np
import pytest
import torch
from mmengine.evaluator import Evaluator
from mmengine.logging import MMLogger
from mmengine.structures import BaseDataElement, InstanceData

from bgaug_mm.detection.voc_average_precision import THRESHOLDS
from bgaug_mm.registry import METRICS


def instances(boxes, labels, scores=None):
    fields = dict(
        bboxes=torch.tensor(boxes, dtype=torch.float32).reshape(-1, 4), labels=torch.tensor(labels)
    )
    if scores is not None:
        fields['scores'] = torch.tensor(scores, dtype=torch.float32)
    return InstanceData(**fields)


def sample(found, truth, ignored=((), ())):
    data = BaseDataElement()
    data.pred_instances = instances(*found)
    data.gt_instances = instances(*truth)
    data.ignored_instances = instances(*ignored)
    return data


def evaluate(samples, classes=('cat', 'dog', 'cow')):
    evaluator = Evaluator([METRICS.build(dict(type='bgaug_mm.VOCAveragePrecision'))])
    evaluator.dataset_meta = dict(classes=classes)
    for one in samples:  # batches of one
        evaluator.process([one])
    return evaluator.evaluate(len(samples))


def test_thresholds():
    assert THRESHOLDS == (0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)


def test_by_hand(caplog):
    square = [0, 0, 9, 9]
    samples = [
        # cat 0: found with an overlap of .8; a difficult one found as well
        sample(
            ([[0, 0, 9, 7], [20, 20, 29, 29]], [0, 0], [0.9, 0.95]),
            ([square], [0]),
            ([[20, 20, 29, 29]], [0]),
        ),
        # cat 1: missed, but something more certain was found elsewhere
        sample(([[50, 50, 59, 59]], [0], [0.97]), ([square], [0])),
        # dog: found exactly. A cow where there are none counts nowhere
        sample(([square, square], [1, 2], [0.5, 0.5]), ([square], [1])),
    ]
    with caplog.at_level('INFO', logger=MMLogger.get_current_instance().name):
        metrics = evaluate(samples)
    # cats: false, true; precision 1/2 at recall 1/2, so that six of the eleven points have 1/2
    cat = 100 * 6 * 0.5 / 11
    expected = {
        'pascal_voc/AP': (0.7 * cat + 100) / 2,  # .5, .55, … .8 are seven of ten
        'pascal_voc/AP50': (cat + 100) / 2,
        'pascal_voc/AP75': (cat + 100) / 2,
    }
    assert metrics == pytest.approx(expected, abs=1e-12)
    assert list(metrics) == list(expected)


def random_samples(seed, images=25):
    rng = np.random.default_rng(seed)

    def boxes(count):
        corner = rng.integers(0, 30, (count, 2))
        return np.concatenate([corner, corner + rng.integers(3, 20, (count, 2))], axis=1)

    for _ in range(images):
        truth, labels = boxes(4), rng.integers(0, 3, 4)
        found = np.concatenate([truth + rng.normal(0, 1, truth.shape), boxes(3)])
        found_labels = np.concatenate([labels, rng.integers(0, 3, 3)])
        yield sample(
            (found, found_labels, rng.random(7)), (truth[:3], labels[:3]), (truth[3:], labels[3:])
        )


@pytest.mark.parametrize('seed', range(3))
def test_against_mmdet(seed, mmdet):
    """mmdet compares recalls in floating point: whole tenths may get lost there."""
    from mmdet.evaluation.metrics import voc_metric

    samples = list(random_samples(seed))
    ours = evaluate(samples)
    theirs = Evaluator([voc_metric.VOCMetric(iou_thrs=list(THRESHOLDS))])
    theirs.dataset_meta = dict(classes=('cat', 'dog', 'cow'))
    theirs.process(samples)
    values = theirs.evaluate(len(samples))
    assert ours['pascal_voc/AP50'] == pytest.approx(100 * values['pascal_voc/AP50'], abs=0.06)
    assert ours['pascal_voc/AP75'] == pytest.approx(100 * values['pascal_voc/AP75'], abs=0.06)
    assert ours['pascal_voc/AP'] == pytest.approx(100 * values['pascal_voc/mAP'], abs=0.06)
    assert 5 < ours['pascal_voc/AP75'] < ours['pascal_voc/AP50'] < 95


def test_several_processes_share_the_images():
    """What each process noted is put together as it is, in any order."""
    samples = list(random_samples(5, images=6))
    metric = METRICS.build(dict(type='bgaug_mm.VOCAveragePrecision'))
    metric.process(None, [one.to_dict() for one in samples])
    forwards = metric.compute_metrics(metric.results)
    assert metric.compute_metrics(metric.results[::-1]) == pytest.approx(forwards, abs=1e-12)


def test_nothing_to_find():
    nothing = sample(([[0, 0, 9, 9]], [0], [0.9]), ((), ()))
    with pytest.raises(ValueError, match='no image has an object to find'):
        evaluate([nothing])
