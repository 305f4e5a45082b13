"""Background operations on the model's device instead of in the workers.

For use inside config files, beside :mod:`~bgaug_mm.datasets.views`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .view_pipelines import (
    find_multi_view,
    grouped,
    is_background_op,
    packing,
    per_view,
    plain,
    short_type,
)

_PREPROCESSOR = 'bgaug_mm.BackgroundDataPreprocessor'


def background_preprocessor(base: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Upstream's data preprocessor, taking views with masks.

    Args:
        base (dict): The base config, ``_base_`` in a config file; its
            ``model.data_preprocessor`` or ``data_preprocessor`` gives the
            normalisation.
        **options: Options of
            :class:`~bgaug_mm.models.data_preprocessors.BackgroundDataPreprocessor`
            (``background_op``, ``views``, ``append_masks``, …).

    Returns:
        dict: A config for ``model.data_preprocessor``; it replaces the base's.

    Raises:
        ValueError: If the base has no data preprocessor.
    """
    of_model = base['model'].get('data_preprocessor')
    found = of_model or base.get('data_preprocessor')
    if not found:
        raise ValueError(
            'the base config has neither `model.data_preprocessor` nor `data_preprocessor`'
        )
    given = plain(found)
    if given.get('type', '').rpartition('.')[2] not in (
        '',
        'SelfSupDataPreprocessor',
        'BackgroundDataPreprocessor',
    ):
        raise ValueError(
            f'the data preprocessor must be a SelfSupDataPreprocessor, but is {given["type"]!r}: '
            'background operations on the device take its place'
        )
    # mmengine takes `_delete_` out only where the base has the key
    replace = {'_delete_': True} if of_model else {}
    return {**replace, **given, 'type': _PREPROCESSOR, **options}


def on_device(base: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Move the background op of a recipe from the workers to the model's device.

    The workers then only crop the masks along; the operation itself runs on the
    whole batch in the data preprocessor, behind the photometric transforms, also
    where the recipe has it before the crop: share limits and pixels of ``mask_edit``
    then mean the view. Sources that look at other images take them from the batch.

    Args:
        base (dict): A recipe with a background op, ``_base_`` in a config file.

    Returns:
        tuple[dict, dict]: ``train_dataloader`` and ``model`` for the new config.

    Raises:
        ValueError: If the recipe has no background op, different ones, or one on the
            device already.

    Example:
        >>> _base_ = 'bgaug_mm::byol_bgswap.py'
        >>> train_dataloader, model = on_device(_base_)
    """
    loader = {'_delete_': True, **plain(base['train_dataloader'])}
    dataset = loader['dataset']
    scope = base['train_dataloader']['dataset'].get('_scope_')
    if scope is not None:
        dataset['_scope_'] = scope
    pipeline = dataset['pipeline']
    at = find_multi_view(pipeline)
    views = per_view(pipeline[at])
    ops = [[step for step in view if is_background_op(step)] for view in views]
    chosen = [i for i, found in enumerate(ops) if found]
    if 'background_op' in (base['model'].get('data_preprocessor') or {}):
        raise ValueError('this recipe has its background op on the device already')
    if not chosen or any(ops[i] != ops[chosen[0]] or len(ops[i]) != 1 for i in chosen):
        raise ValueError(
            'the views need one background op, the same in each of them, but have '
            f'{[[short_type(step) for step in found] for found in ops]}'
        )
    bare = [[step for step in view if not is_background_op(step)] for view in views]
    pipeline[at] = {**pipeline[at], **grouped(bare)}
    pipeline[-1] = packing(pipeline[-1], with_mask=True)
    preprocessor = background_preprocessor(
        base,
        background_op=ops[chosen[0]][0],
        views='all' if len(chosen) == len(views) else chosen,
    )
    return loader, dict(data_preprocessor=preprocessor)
