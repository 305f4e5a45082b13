"""Surgery on the pipelines of configs: lists of dicts in, new lists of dicts out.

What :mod:`~bgaug_mm.datasets.views` and :mod:`~bgaug_mm.datasets.device_views` are
made of. Nothing here writes into its arguments.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

#: Transforms that move pixels; background ops go behind the leading run of these,
#: before the photometric ones.
GEOMETRIC = frozenset({'RandomResizedCrop', 'RandomFlip', 'RandomCrop', 'CenterCrop', 'Resize'})


def plain(value: Any) -> Any:
    """Copy config containers to builtin ones (drops mmengine's scope marks)."""
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items() if key != '_scope_'}
    if isinstance(value, (list, tuple)):
        return type(value)(plain(item) for item in value)
    return value


def short_type(transform: Mapping[str, Any]) -> str:
    """The name of a transform without its scope."""
    return str(transform['type']).rsplit('.', maxsplit=1)[-1]


def is_background_op(transform: Mapping[str, Any]) -> bool:
    """Whether a config is that of a background operation."""
    return short_type(transform) in ('BackgroundRemove', 'BackgroundSwap')


def with_op(
    pipeline: list[dict[str, Any]], background_op: dict[str, Any], position: str
) -> list[dict[str, Any]]:
    """One view's pipeline with the operation in its place."""
    at = {'before_crop': 0, 'after_photometric': len(pipeline)}.get(position)
    if at is None:
        others = (i for i, step in enumerate(pipeline) if short_type(step) not in GEOMETRIC)
        at = next(others, len(pipeline))
    return [*pipeline[:at], plain(background_op), *pipeline[at:]]


def carry_mask(pipeline: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One view's pipeline with the crop that carries the mask."""
    names = [short_type(transform) for transform in pipeline]
    if 'RandomResizedCrop' not in names:
        raise ValueError(f'a view pipeline needs a `RandomResizedCrop`, but got {names}')
    return [
        {**transform, 'type': 'bgaug_mm.RandomResizedCrop'} if name == 'RandomResizedCrop'
        else transform
        for transform, name in zip(pipeline, names, strict=True)
    ]  # fmt: skip


def with_crop(pipeline: list[dict[str, Any]], options: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One view's pipeline with more options for its crop."""
    return [
        {**step, **options} if short_type(step) == 'RandomResizedCrop' else step
        for step in pipeline
    ]  # fmt: skip


def _size(pipeline: list[dict[str, Any]]) -> int:
    """Pixels of a view along its longer side."""
    crop = next(step for step in pipeline if short_type(step) == 'RandomResizedCrop')
    size = crop['size'] if 'size' in crop else crop['scale']
    return max(size) if isinstance(size, Sequence) else int(size)


def chosen_views(views: str | Sequence[int], pipelines: list[list[dict[str, Any]]]) -> set[int]:
    """Indices of the views that get the operation."""
    if views == 'all':
        return set(range(len(pipelines)))
    if views == 'first':
        return {0}
    if views == 'large':
        sizes = [_size(pipeline) for pipeline in pipelines]
        return {i for i, size in enumerate(sizes) if size == max(sizes)}
    indices = set(range(len(pipelines)))
    if (
        isinstance(views, str)
        or not isinstance(views, Sequence)
        or not views
        or not set(views) <= indices
    ):
        raise ValueError(
            "`views` must be 'all', 'first', 'large' or indices of the views (0 to "
            f'{len(pipelines) - 1}), but got {views!r}'
        )
    return {int(index) for index in views}


def find_multi_view(pipeline: list[dict[str, Any]]) -> int:
    """Where the ``MultiView`` stands."""
    names = [short_type(transform) for transform in pipeline]
    if 'MultiView' not in names:
        raise ValueError(f'the pipeline needs a `MultiView`, but got {names}')
    return names.index('MultiView')


def per_view(multi_view: Mapping[str, Any]) -> list[list[dict[str, Any]]]:
    """The pipeline of each view."""
    counts = multi_view['num_views']
    counts = [counts] if isinstance(counts, int) else counts
    pairs = zip(multi_view['transforms'], counts, strict=True)
    return [pipeline for pipeline, count in pairs for _ in range(count)]


def grouped(pipelines: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """MultiView's arguments: neighbouring views of one pipeline share it."""
    transforms: list[list[dict[str, Any]]] = []
    num_views: list[int] = []
    for pipeline in pipelines:
        if transforms and transforms[-1] == pipeline:
            num_views[-1] += 1
        else:
            transforms.append(plain(pipeline))
            num_views.append(1)
    return dict(num_views=num_views, transforms=transforms)


def packing(transform: Mapping[str, Any], *keys: str, with_mask: bool = False) -> dict[str, Any]:
    """The packing transform as ours, with more keys in the metainfo or with masks."""
    meta_keys = dict.fromkeys((*transform.get('meta_keys', ('img_path',)), *keys))
    with_mask = with_mask or transform.get('with_mask', False)
    kept = {key: transform[key] for key in ('with_block_mask',) if key in transform}
    return dict(
        type='bgaug_mm.PackSaliencyInputs', with_mask=with_mask, **kept, meta_keys=list(meta_keys)
    )
