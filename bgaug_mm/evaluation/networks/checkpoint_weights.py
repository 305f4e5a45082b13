"""What a checkpoint file holds: its config, and the weights of its backbone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from mmengine.config import Config
from torch import Tensor, nn

from ...compat.checkpoints import safe_load
from .checkpoint_config import config_from_text, refuse_foreign_types

NAME_THE_CONFIG = 'Name the config the checkpoint was trained with (--config)'


def read_checkpoint(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Read a checkpoint file without running code from it."""
    if not Path(path).is_file():
        raise FileNotFoundError(f'no checkpoint {path}')
    content = safe_load(path, map_location='cpu')
    if not isinstance(content, dict):
        raise ValueError(f'{path} holds a {type(content).__name__}, not a checkpoint')
    return content


def stored_config(content: Mapping[str, Any], path: str | os.PathLike[str]) -> Config:
    """The config a checkpoint was trained with.

    Raises:
        ValueError: If it has none, or one that is more than plain values.
    """
    text = (content.get('meta') or {}).get('cfg')
    if not isinstance(text, str):
        raise ValueError(f'{path} has no config in its meta; name it with --config')
    try:
        config = config_from_text(text)
        refuse_foreign_types(config.get('model'))
        return config
    except ValueError as error:
        raise ValueError(f'{path}: its stored config: {error}; name it with --config') from error


def load_backbone_weights(
    backbone: nn.Module,
    state_dict: Mapping[str, Tensor],
    source: str,
    *,
    remedy: str = NAME_THE_CONFIG,
) -> None:
    """Load the ``backbone.…`` entries of a state dict, or bare backbone weights.

    ``module.`` (DistributedDataParallel) before the names is dropped, and entries of
    other modules are ignored; every entry of the backbone must be there with its shape,
    but for the counters of BN, which older checkpoints do not have.

    Args:
        backbone (nn.Module): Is changed; left as it was when there is an error.
        state_dict (Mapping[str, Tensor]): By name.
        source (str): The file, for errors.
        remedy (str): What to do, for errors.

    Raises:
        ValueError: If none or only some of the backbone's entries match, with
            those of both sides.
    """
    weights = {key.removeprefix('module.'): value for key, value in state_dict.items()}
    own = {
        key.removeprefix('backbone.'): value
        for key, value in weights.items()
        if key.startswith('backbone.')
    } or weights
    load_all_weights(backbone, own, source, what='backbone', remedy=remedy)


def load_all_weights(
    module: nn.Module, weights: Mapping[str, Tensor], source: str, *, what: str, remedy: str
) -> None:
    """Load a whole module; the file may hold more, but not less.

    Args:
        module (nn.Module): Is changed; left as it was when there is an error.
        weights (Mapping[str, Tensor]): By name; without the counters of BN is enough.
        source (str): The file, for errors.
        what (str): What the module is, for errors.
        remedy (str): What to do, for errors.

    Raises:
        ValueError: If none or only some of the module's entries match, with those of both
            sides.
    """
    wanted = module.state_dict()
    matched = {
        key for key in wanted if key in weights and _shape(weights[key]) == _shape(wanted[key])
    }
    missing = {key for key in wanted if not key.endswith('.num_batches_tracked')} - matched
    if missing or not matched:
        raise ValueError(
            f'{source}: {len(matched)} of the {len(wanted)} {what} weights match. '
            f'Unmatched in the {what}: {_some(missing or wanted, wanted)}. '
            f'Unused in the file: {_some(weights.keys() - matched, weights)}. {remedy}'
        )
    module.load_state_dict({key: weights[key] for key in matched}, strict=False)


def _shape(value: Any) -> tuple[int, ...] | None:
    return tuple(value.shape) if isinstance(value, Tensor) else None


def _some(keys: Iterable[str], values: Mapping[str, Any], count: int = 4) -> str:
    """The first names with their shapes, and how many there are more."""
    keys = sorted(keys)
    named = [f'{key} {_shape(values[key]) or ""}'.rstrip() for key in keys[:count]]
    rest = f' and {len(keys) - count} more' if len(keys) > count else ''
    return (', '.join(named) or 'none') + rest
