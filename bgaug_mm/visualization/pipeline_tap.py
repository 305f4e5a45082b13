"""Look into a dataset's pipeline while it runs."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from ..datasets.dataset_chain import leaves
from ..datasets.transforms import MultiView

#: What a view may tell of itself.
VIEW_KEYS = (
    'img',
    'gt_seg_map',
    'crop_bbox',
    'flip',
    'flip_direction',
    'background_op',
    'background_params',
)


class Recorder:
    """A transform that changes nothing and remembers the results that passed last."""

    def __init__(self) -> None:
        self.results: dict[str, Any] = {}

    def __call__(self, results: dict[str, Any]) -> dict[str, Any]:
        """Remember; the arrays are shared, so nothing behind may write into them."""
        self.results = dict(results)
        return results


@contextmanager
def tapped(dataset: Any) -> Iterator[tuple[Recorder, Recorder]]:
    """Record what enters the views and what they become, before it is packed.

    Inside the context every pipeline of the dataset has a recorder before its
    ``MultiView`` and one before its packing transform, and the ``MultiView`` collects
    all of ``VIEW_KEYS``; upstream's, which collects the image alone, is replaced by ours
    around the same view pipelines. The samples are those of the untouched dataset, and
    it is left as it was.

    Args:
        dataset: A built dataset, also wrapped ones.

    Raises:
        ValueError: If a pipeline has no ``MultiView``.
    """
    entering, leaving = Recorder(), Recorder()
    pipelines = {id(pipeline): pipeline for pipeline in _pipelines(dataset)}.values()
    before = [(pipeline, pipeline.transforms) for pipeline in pipelines]
    changed = [_with_recorders(transforms, entering, leaving) for _, transforms in before]
    try:
        for (pipeline, _), transforms in zip(before, changed, strict=True):
            pipeline.transforms = transforms
        yield entering, leaving
    finally:
        for pipeline, transforms in before:
            pipeline.transforms = transforms


def _pipelines(dataset: Any) -> list[Any]:
    """The pipelines that samples go through: the outermost one of a chain counts."""
    while getattr(dataset, 'pipeline', None) is None and hasattr(dataset, 'dataset'):
        dataset = dataset.dataset
    if getattr(dataset, 'pipeline', None) is not None:
        return [dataset.pipeline]
    return [leaf.pipeline for leaf in leaves(dataset)]


def _with_recorders(transforms: list[Any], entering: Recorder, leaving: Recorder) -> list[Any]:
    names = [type(transform).__name__ for transform in transforms]
    if 'MultiView' not in names:
        raise ValueError(
            f'the training pipeline makes no views: it has no `MultiView`, only {names}'
        )
    at = names.index('MultiView')
    packs = [i for i, name in enumerate(names) if i > at and name.startswith('Pack')]
    end = packs[0] if packs else len(transforms)
    views = _collecting(transforms[at])
    return [
        *transforms[:at], entering, views, *transforms[at + 1 : end], leaving, *transforms[end:]
    ]  # fmt: skip


def _collecting(multi_view: Any) -> Any:
    if not isinstance(multi_view, MultiView):
        views = [list(pipeline.transforms) for pipeline in multi_view.transforms]
        return MultiView(views, [1] * len(views), collect=VIEW_KEYS, copy_arrays=True)
    wider = copy.copy(multi_view)
    wider.collect = (*wider.collect, *(key for key in VIEW_KEYS if key not in wider.collect))
    return wider
