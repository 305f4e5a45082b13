"""The config of one run of a study."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from mmengine.config import Config

from bgaug_mm.compat.config_paths import config_root
from bgaug_mm.datasets.device_views import background_preprocessor
from bgaug_mm.datasets.views import with_background_op
from bgaug_mm.engine.launch_config import load_config, merge_options
from bgaug_mm.engine.stretch import stretch

from .spec import Run, Study


def run_config(study: Study, run: Run, mask_root: str | None = None) -> Config:
    """The config that ``tools/train.py`` trains a run with, but for the data's place.

    Args:
        study: The study.
        run: One of its runs.
        mask_root: Folder of the masks, if they are not the world's own. Defaults to None.

    Raises:
        LaunchError: There is no such config.
        ValueError: The operation is unknown, or does not go with the config.
    """
    name = study.config.format(method=run.method, world=run.world)
    config: Config = copy.deepcopy(_loaded(name))
    arm = study.arms[run.arm]
    if arm.op is not None:
        masks = {} if mask_root is None else {'mask_root': mask_root}
        op = background_op(arm.op)
        if arm.prob is not None:
            op['prob'] = arm.prob
        treat(config, op, matched_negatives=arm.matched_negatives, **masks)
    if study.options:
        merge_options(config, study.options)
    epochs = study.epochs or study.methods[run.method].epochs
    if epochs:
        stretch(config, epochs)
    config.randomness = dict(seed=run.seed)
    return config


def background_op(name: str | Mapping[str, Any]) -> dict[str, Any]:
    """The operation of ``configs/_base_/views/NAME.py``, or the given one."""
    return copy.deepcopy(_shipped_op(name) if isinstance(name, str) else dict(name))


@lru_cache
def _shipped_op(name: str) -> dict[str, Any]:
    path = config_root() / '_base_' / 'views' / f'{name}.py'
    if not path.is_file():
        known = sorted(found.stem for found in path.parent.glob('background_*.py'))
        raise ValueError(f'`op` must be one of {", ".join(known)}, but got {name!r}')
    op = Config.fromfile(str(path)).get('background_op')
    if op is None:
        raise ValueError(f'{path} has no background_op')
    return dict(op.to_dict())


def treat(
    config: Config, op: Mapping[str, Any], *, matched_negatives: bool = False, **masks: Any
) -> None:
    """Give a plain recipe a background operation, as the ``_bgswap`` recipes do.

    Args:
        config: Changed in place.
        op: The operation.
        matched_negatives: Make a MoCo one with background-matched negatives.
        **masks: Options of SaliencyMaskDataset.
    """
    loader = with_background_op(config.train_dataloader, op, pack_masks=matched_negatives, **masks)
    loader.pop('_delete_')
    config.train_dataloader = loader
    if matched_negatives:
        preprocessor = background_preprocessor(config, append_masks=True)
        preprocessor.pop('_delete_', None)
        config.model.update(
            type='bgaug_mm.MatchedNegativesMoCo',
            backend=config.default_scope,
            data_preprocessor=preprocessor,
        )


@lru_cache
def _loaded(name: str) -> Config:
    return load_config(name)
