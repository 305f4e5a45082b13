"""The model inside its wrappers, and its parts by name."""

from __future__ import annotations

from typing import Any

from mmengine.model import is_model_wrapper
from torch import nn


def unwrapped(model: nn.Module) -> Any:
    """The model without DistributedDataParallel and the like."""
    while is_model_wrapper(model):
        model = model.module  # type: ignore[assignment]
    return model


def submodule(model: nn.Module, name: str) -> nn.Module:
    """A part of a model, for an option ``module`` of a hook.

    Args:
        model (nn.Module): The model, wrapped or not.
        name (str): Dotted name of the part, e.g. ``'head.last_layer'``.

    Raises:
        ValueError: If there is no such part; the model's parts are named.
    """
    model = unwrapped(model)
    modules = dict(model.named_modules())
    if name not in modules:
        children = ', '.join(child for child, _ in model.named_children())
        raise ValueError(
            f'`module` must name a submodule of {type(model).__name__} '
            f'(it has {children}), but got {name!r}'
        )
    return modules[name]
