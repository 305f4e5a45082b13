"""Turn an upstream training dataloader into one with masks and a background op.

For use inside config files: a recipe is upstream's config plus one call, and no
pipeline is copied. Works on the pipelines of mmselfsup, mmcls and mmpretrain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

#: Transforms after which the pixels no longer move; background ops go behind
#: the last of these, before the photometric ones.
GEOMETRIC = frozenset({'RandomResizedCrop', 'RandomFlip', 'RandomCrop', 'CenterCrop', 'Resize'})


def _plain(value: Any) -> Any:
    """Copy config containers to builtin ones (drops mmengine's scope marks)."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if key != '_scope_'}
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value


def _name(transform: Mapping[str, Any]) -> str:
    return str(transform['type']).rsplit('.', maxsplit=1)[-1]


def _view(pipeline: list[dict[str, Any]], background_op: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One view's pipeline: mask-aware crop, background op behind the geometry."""
    names = [_name(transform) for transform in pipeline]
    if 'RandomResizedCrop' not in names:
        raise ValueError(f'a view pipeline needs a `RandomResizedCrop`, but got {names}')
    last = max(i for i, name in enumerate(names) if name in GEOMETRIC)
    view = [
        {**transform, 'type': 'bgaug_mm.RandomResizedCrop'} if name == 'RandomResizedCrop'
        else transform
        for transform, name in zip(pipeline, names, strict=True)
    ]  # fmt: skip
    return [*view[: last + 1], _plain(background_op), *view[last + 1 :]]


def seed_samples(dataloader: Mapping[str, Any], *, scope: str | None = None) -> dict[str, Any]:
    """Upstream's training dataloader with reproducible sample streams.

    Puts :class:`~bgaug_mm.datasets.transforms.SeedSample` first in the pipeline,
    so that a view depends on (seed, epoch, sample index) alone; set
    ``default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))``
    beside it.

    Args:
        dataloader (dict): A dataloader config whose ``dataset`` has a
            ``pipeline``, e.g. ``_base_.train_dataloader``.
        scope (str, optional): Scope in which the dataset's and transforms'
            types are looked up, e.g. ``'mmselfsup'``. Defaults to None, the
            scope of the config that is run.

    Returns:
        dict: The new dataloader; it replaces the base's (``_delete_=True``).

    Raises:
        ValueError: If the dataset has no pipeline.
    """
    loader = _plain(dataloader)
    dataset = loader['dataset']
    if not dataset.get('pipeline'):
        raise ValueError(f'`dataset.pipeline` is missing or empty in {sorted(dataset)}')
    if _name(dataset['pipeline'][0]) != 'SeedSample':
        dataset['pipeline'] = [dict(type='bgaug_mm.SeedSample'), *dataset['pipeline']]
    if scope is not None:
        dataset['_scope_'] = scope
    if loader.get('collate_fn', {}).get('type') == 'default_collate':
        # a config inherited across packages gets `_scope_` written into this
        # dict, which mmengine hands to the function; ours takes it
        loader['collate_fn'] = dict(type='bgaug_mm.default_collate')
    return {'_delete_': True, **loader}


def with_background_op(
    dataloader: Mapping[str, Any],
    background_op: Mapping[str, Any],
    *,
    scope: str | None = None,
    **masks: Any,
) -> dict[str, Any]:
    """Upstream's training dataloader with saliency masks and a background op.

    The dataset is wrapped in :class:`~bgaug_mm.datasets.SaliencyMaskDataset`;
    masks are loaded behind the image; ``MultiView`` and ``RandomResizedCrop``
    become ours, which carry the mask; ``background_op`` goes behind the last
    geometric transform of every view, before the photometric ones (the order is
    our choice, see ``docs/design.md``). Everything else stays upstream's.

    Args:
        dataloader (dict): A dataloader config, e.g. ``_base_.train_dataloader``,
            with a ``MultiView`` in its dataset's pipeline.
        background_op (dict): Config of a background transform.
        scope (str, optional): Scope in which upstream's types are looked up,
            e.g. ``'mmselfsup'``. Defaults to None, the scope of the config that
            is run.
        **masks: Options of SaliencyMaskDataset (``mask_root``,
            ``on_missing_mask``, …).

    Returns:
        dict: The new dataloader; it replaces the base's (``_delete_=True``).

    Raises:
        ValueError: If the pipeline has no ``MultiView`` or a view has no
            ``RandomResizedCrop``.

    Example:
        >>> train_dataloader = with_background_op(
        ...     _base_.train_dataloader, dict(type='bgaug_mm.BackgroundSwap'), scope='mmselfsup')
    """
    loader = seed_samples(dataloader)
    dataset = loader['dataset']
    pipeline = dataset.pop('pipeline')
    names = [_name(transform) for transform in pipeline]
    if 'MultiView' not in names:
        raise ValueError(f'the pipeline needs a `MultiView`, but got {names}')
    at = names.index('MultiView')
    multi_view = {**pipeline[at], 'type': 'bgaug_mm.MultiView'}
    multi_view['transforms'] = [_view(view, background_op) for view in multi_view['transforms']]
    pipeline = [
        *pipeline[:at],
        dict(type='bgaug_mm.LoadSaliencyMask'),
        multi_view,
        *pipeline[at + 1 :],
    ]
    wrapper = dict(type='bgaug_mm.SaliencyMaskDataset', dataset=dataset, pipeline=pipeline, **masks)
    if scope is not None:
        wrapper['_scope_'] = scope
    return {**loader, 'dataset': wrapper}
