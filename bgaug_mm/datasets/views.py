"""Turn an upstream training dataloader into one with masks and a background op.

For use inside config files: a recipe is upstream's config plus one call, and no
pipeline is copied. Works on the configs of mmselfsup, mmcls and mmpretrain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from .fast_transforms import fast_transforms
from .view_pipelines import (
    carry_mask,
    chosen_views,
    find_multi_view,
    grouped,
    is_background_op,
    packing,
    per_view,
    plain,
    short_type,
    with_crop,
    with_op,
)

POSITIONS = ('before_photometric', 'after_photometric', 'before_crop')


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
    loader = plain(dataloader)
    dataset = loader['dataset']
    if not dataset.get('pipeline'):
        raise ValueError(f'`dataset.pipeline` is missing or empty in {sorted(dataset)}')
    if short_type(dataset['pipeline'][0]) != 'SeedSample':
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
    views: str | Sequence[int] = 'all',
    position: str = 'before_photometric',
    crop: Mapping[str, Any] | None = None,
    pack_masks: bool = False,
    fast: bool = True,
    **masks: Any,
) -> dict[str, Any]:
    """Upstream's training dataloader with saliency masks and a background op.

    The dataset is wrapped in :class:`~bgaug_mm.datasets.SaliencyMaskDataset`;
    masks are loaded behind the image; ``MultiView`` and ``RandomResizedCrop``
    become ours, which carry the mask; ``background_op`` is put into the views.
    Photometric transforms become faster ones that draw from the same
    distribution (``fast``). Everything else stays upstream's. In the dataloader of one
    of our recipes the operation takes the place of the recipe's.

    Args:
        dataloader (dict): A dataloader config, e.g. ``_base_.train_dataloader``,
            with a ``MultiView`` in its dataset's pipeline.
        background_op (dict): Config of a background transform.
        scope (str, optional): Scope in which upstream's types are looked up,
            e.g. ``'mmselfsup'``. Defaults to None: a recipe's own, else that of the
            config that is run.
        views (str | Sequence[int]): Which views get the operation: ``'all'``,
            ``'first'`` (the query), ``'large'`` (the global crops of
            multi-crop) or indices. Defaults to 'all'.
        position (str): ``'before_photometric'``: behind the crop (and a flip
            right behind it), so that foreground and background share jitter,
            blur and grey; ``'after_photometric'``: last; ``'before_crop'``: on
            the whole image, anew for each view (DiLo). The papers leave it
            open; the default is our choice (``docs/design.md``).
        crop (dict, optional): Options for the ``RandomResizedCrop`` of the views that
            get the operation, e.g. ``dict(min_foreground=0.2)``: crops that keep a
            fifth of the foreground (CAST). Defaults to None.
        pack_masks (bool): Send the views' masks to the model as a fourth
            channel (see :func:`background_preprocessor`). Defaults to False.
        fast (bool): Swap in the transforms of
            :mod:`~bgaug_mm.datasets.fast_transforms`. Defaults to True.
        **masks: Options of SaliencyMaskDataset (``mask_root``,
            ``on_missing_mask``, …).

    Returns:
        dict: The new dataloader; it replaces the base's (``_delete_=True``).

    Raises:
        ValueError: If the pipeline has no ``MultiView`` or a view has no
            ``RandomResizedCrop``, for an unknown position or view.

    Example:
        >>> train_dataloader = with_background_op(
        ...     _base_.train_dataloader, dict(type='bgaug_mm.BackgroundSwap'), scope='mmselfsup')
    """
    if position not in POSITIONS:
        raise ValueError(f'`position` must be one of {POSITIONS}, but got {position!r}')
    loader = seed_samples(dataloader)
    dataset = loader['dataset']
    pipeline = dataset.pop('pipeline')
    if short_type(dataset) == 'SaliencyMaskDataset':  # one of our recipes
        scope = scope or dataloader['dataset'].get('_scope_')
        masks = {**{k: v for k, v in dataset.items() if k not in ('type', 'dataset')}, **masks}
        dataset = dataset['dataset']
    loading = [step for step in pipeline if short_type(step) == 'LoadSaliencyMask']
    pipeline = [step for step in pipeline if step not in loading]
    at = find_multi_view(pipeline)
    pipelines = [
        carry_mask([step for step in view if not is_background_op(step)])
        for view in per_view(pipeline[at])
    ]
    if fast:
        pipelines = [fast_transforms(view) for view in pipelines]
    chosen = chosen_views(views, pipelines)
    pipelines = [
        with_op(with_crop(view, crop or {}), dict(background_op), position) if i in chosen else view
        for i, view in enumerate(pipelines)
    ]
    multi_view = {**pipeline[at], 'type': 'bgaug_mm.MultiView', **grouped(pipelines)}
    rest = pipeline[at + 1 :]
    if pack_masks:
        rest = [*rest[:-1], packing(rest[-1], with_mask=True)]
    wrapper = dict(
        type='bgaug_mm.SaliencyMaskDataset',
        dataset=dataset,
        pipeline=[
            *pipeline[:at],
            *(loading or [dict(type='bgaug_mm.LoadSaliencyMask')]),
            multi_view,
            *rest,
        ],
        **masks,
    )
    if scope is not None:
        wrapper['_scope_'] = scope
    return {**loader, 'dataset': wrapper}


def with_candidate_views(
    dataloader: Mapping[str, Any],
    num_views: int | Sequence[int],
    *,
    scope: str | None = None,
    fast: bool = True,
) -> dict[str, Any]:
    """Upstream's training dataloader with more views, for hard view selection.

    ``MultiView`` makes the candidates from which
    :class:`~bgaug_mm.engine.hooks.HardViewSelectionHook` chooses; their crop boxes are
    packed for its telemetry. Works on upstream's dataloaders and on those of
    :func:`with_background_op`.

    Args:
        dataloader (dict): A dataloader config with a ``MultiView`` in its dataset's
            pipeline.
        num_views (int | Sequence[int]): Views of each view pipeline; an int is shared
            out evenly among them, so that 4 becomes 2 + 2 for BYOL's two pipelines.
        scope (str, optional): Scope in which upstream's types are looked up, e.g.
            ``'mmselfsup'``. Defaults to None, the scope of the config that is run.
        fast (bool): As in :func:`with_background_op`. Defaults to True.

    Returns:
        dict: The new dataloader; it replaces the base's (``_delete_=True``).

    Raises:
        ValueError: If the pipeline has no ``MultiView``, or the numbers do not fit its
            view pipelines.
    """
    scope = scope or dataloader['dataset'].get('_scope_')
    loader = seed_samples(dataloader, scope=scope)
    pipeline = loader['dataset']['pipeline']
    at = find_multi_view(pipeline)
    transforms = [carry_mask(view) for view in pipeline[at]['transforms']]
    if fast:
        transforms = [fast_transforms(view) for view in transforms]
    count = len(transforms)
    if isinstance(num_views, int):
        counts = [num_views // count] * count
        fits = num_views % count == 0
    else:
        counts = list(num_views)
        fits = len(counts) == count
    if not fits or min(counts) < 1:
        raise ValueError(
            f'`num_views` must be a multiple of {count} or {count} positive numbers, one a view '
            f'pipeline, but got {num_views}'
        )
    pipeline[at] = {
        **pipeline[at], 'type': 'bgaug_mm.MultiView', 'num_views': counts, 'transforms': transforms
    }  # fmt: skip
    pipeline[-1] = packing(pipeline[-1], 'crop_bbox')
    return loader
