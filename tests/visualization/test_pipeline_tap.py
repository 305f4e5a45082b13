import numpy as np
import pytest
from mmcv.transforms import Compose

from bgaug_mm.datasets.transforms import MultiView
from bgaug_mm.visualization.pipeline_tap import VIEW_KEYS, tapped


class Flip:
    def __call__(self, results):
        results['flip_direction'] = 'up'
        results['img'] = results['img'][:, ::-1]
        return results


class PackNothing:
    def __call__(self, results):
        return {'inputs': results['img']}


class UpstreamMultiView:
    """What mmselfsup's and mmpretrain's look like."""

    def __init__(self, views):
        self.transforms = [Compose(view) for view in views]

    def __call__(self, results):
        return {**results, 'img': [view(dict(results))['img'] for view in self.transforms]}


UpstreamMultiView.__name__ = 'MultiView'


class Set:
    """A dataset with a pipeline, or a wrapper without one."""

    def __init__(self, pipeline=None, dataset=None, datasets=None):
        if pipeline is not None:
            self.pipeline = Compose(pipeline)
        if dataset is not None:
            self.dataset = dataset
        if datasets is not None:
            self.datasets = datasets


def run(pipeline):
    return pipeline({'img': np.arange(12, dtype=np.uint8).reshape(2, 2, 3)})


@pytest.mark.parametrize('views', [MultiView, UpstreamMultiView])
def test_what_enters_and_what_leaves(views):
    args = ([[Flip()], []], [1, 1]) if views is MultiView else ([[Flip()], []],)
    dataset = Set([views(*args), PackNothing()])
    untouched = list(dataset.pipeline.transforms)
    expected = run(dataset.pipeline)['inputs']
    with tapped(dataset) as (entering, leaving):
        packed = run(dataset.pipeline)['inputs']
        assert entering.results['img'].shape == (2, 2, 3)
        assert leaving.results['flip_direction'] == ['up', None]
        assert set(leaving.results) <= set(VIEW_KEYS)
    assert all((a == b).all() for a, b in zip(packed, expected, strict=True))
    assert dataset.pipeline.transforms == untouched
    if views is MultiView:
        assert 'flip_direction' not in untouched[0].collect  # a copy of it collects more


def test_wrappers():
    inner = Set([MultiView([[]], 1), PackNothing()])
    for dataset in (
        Set(dataset=inner),
        Set(dataset=Set(datasets=[inner, inner])),
        Set([MultiView([[]], 1)], dataset=Set([PackNothing()])),  # the outer one counts
    ):
        with tapped(dataset) as (entering, leaving):
            run(getattr(dataset, 'pipeline', inner.pipeline))
        assert 'img' in entering.results
        assert isinstance(leaving.results['img'], list)
    assert len(inner.pipeline.transforms) == 2


def test_a_pipeline_without_views():
    dataset = Set([Flip(), PackNothing()])
    message = r"no `MultiView`, only \['Flip', 'PackNothing'\]"
    with pytest.raises(ValueError, match=message), tapped(dataset):
        pass


def test_errors_restore():
    dataset = Set([MultiView([[]], 1)])
    before = list(dataset.pipeline.transforms)
    with pytest.raises(KeyError), tapped(dataset):
        raise KeyError
    assert dataset.pipeline.transforms == before
