"""Extend an algorithm of either library without copying it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from importlib import import_module
from types import ModuleType, new_class
from typing import Any

from torch import Tensor, nn

#: Where each library keeps its algorithms: one module an algorithm.
_PACKAGES = {'mmselfsup': 'mmselfsup.models.algorithms', 'mmpretrain': 'mmpretrain.models.selfsup'}


@cache
def combine(mixin: type, algorithm: str) -> type:
    """The class ``mixin + upstream's algorithm``; the library is imported here, not before.

    The class lives in the mixin's module under the name ``<mixin>_<backend>_<algorithm>``;
    with :func:`lazy_class` there it can be pickled.

    Args:
        mixin (type): Class that goes before upstream's in the method resolution order.
        algorithm (str): ``'<backend>.<class>'``, e.g. ``'mmselfsup.MoCo'``.

    Returns:
        type: The class, the same object at every call.

    Raises:
        ValueError: If the backend is unknown.
        ImportError: If the library is not installed.
    """
    backend, _, name = algorithm.partition('.')
    if backend not in _PACKAGES:
        raise ValueError(f'`backend` must be one of {sorted(_PACKAGES)}, but got {backend!r}')
    upstream = getattr(import_module(f'{_PACKAGES[backend]}.{name.lower()}'), name)

    def body(namespace: dict[str, Any]) -> None:
        namespace['__module__'] = mixin.__module__
        namespace['__doc__'] = mixin.__doc__

    return new_class(f'{mixin.__name__}_{backend}_{name}', (mixin, upstream), exec_body=body)


def lazy_class(mixin: type, name: str) -> type:
    """For a module's ``__getattr__``: the combined class of that name, for unpickling.

    Raises:
        AttributeError: If no combination has that name.
    """
    prefix, _, algorithm = name.partition('_')
    backend, _, upstream = algorithm.partition('_')
    if prefix != mixin.__name__ or backend not in _PACKAGES:
        raise AttributeError(f'module {mixin.__module__!r} has no attribute {name!r}')
    return combine(mixin, f'{backend}.{upstream}')


def upstream_module(model: object) -> ModuleType:
    """The module in which upstream defined the algorithm that ``model`` extends."""
    bases = (base.__module__ for base in type(model).__mro__)
    return sys.modules[next(name for name in bases if name.split('.')[0] in _PACKAGES)]


def criterion(head: Any) -> nn.Module:
    """The loss module of a head; mmpretrain's heads have a method ``loss`` besides."""
    return head.loss_module if hasattr(head, 'loss_module') else head.loss


@contextmanager
def recorded(module: nn.Module, pick: Callable[[Any, Any], Tensor]) -> Iterator[list[Tensor]]:
    """Inside, what ``pick(inputs, output)`` takes of each call of the module, in order."""
    seen: list[Tensor] = []
    handle = module.register_forward_hook(lambda _, args, output: seen.append(pick(args, output)))
    try:
        yield seen
    finally:
        handle.remove()
