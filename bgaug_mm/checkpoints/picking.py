"""Which backbones a checkpoint holds, and the weights of one of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from torch import Tensor

#: Names for a network's part in training, and where to look for it, best first.
ROLES = {
    **dict.fromkeys(('online', 'query', 'student'), ('online',)),
    **dict.fromkeys(('teacher', 'target', 'momentum', 'key'), ('teacher', 'ema')),
    'ema': ('ema', 'teacher'),
}
#: What DistributedDataParallel, averaged models and torch.compile put before a name.
_WRAPPERS = re.compile(r'^(?:module\.|_orig_mod\.)+')
#: What averaged models (SWA, EMA) count.
_COUNTERS = ('n_averaged', 'steps')


@dataclass(frozen=True)
class Network:
    """A backbone inside a checkpoint.

    Attributes:
        name (str): Its dotted name in the model, e.g. ``'backbone'`` or
            ``'target_net.module.0'``; empty for weights that were extracted.
        role (str): ``'online'`` (trained by gradient), ``'teacher'`` (an algorithm's moving
            average: target, momentum or key network), ``'ema'`` (an average that EMAHook or
            SWA kept beside the algorithm), ``'extracted'``, or ``'named'`` by the user.
        weights (dict[str, Tensor]): By the backbone's own names.
    """

    name: str
    role: str
    weights: dict[str, Tensor]

    def __str__(self) -> str:
        return f'{self.name} ({self.role})' if self.name else f'{self.role} weights'


def pick_backbone(
    content: Mapping[str, Any], *, which: str = 'auto', source: str = 'the checkpoint'
) -> dict[str, Tensor]:
    """The weights of one backbone of a checkpoint, by the backbone's own names.

    Args:
        content (Mapping[str, Any]): What the file holds: a checkpoint of mmselfsup, mmpretrain,
            mmdet or this package, whatever the algorithm; with ``module.`` before the names;
            saved with EMAHook or SWA; or weights that were extracted.
        which (str): ``'auto'``: the one named ``backbone``, which is the online network, and
            its average where EMAHook kept one, as when testing. ``'online'`` (``'query'``,
            ``'student'``), ``'teacher'`` (``'target'``, ``'momentum'``, ``'key'``),
            ``'ema'``, or a dotted name in the file, e.g. ``'encoder_q'``. Defaults to 'auto'.
        source (str): The file, for errors.

    Returns:
        dict[str, Tensor]: By name.

    Raises:
        ValueError: If there are no weights, or there is no such network, or more than one.
    """
    return pick_network(content, which=which, source=source).weights


def pick_network(
    content: Mapping[str, Any], *, which: str = 'auto', source: str = 'the checkpoint'
) -> Network:
    """As :func:`pick_backbone`, with the network's name and role."""
    networks = find_networks(content)
    if not networks:
        raise ValueError(f'{source} holds no weights by name')
    if which == 'auto':
        return next((network for network in networks if network.role == 'ema'), networks[0])
    for role in ROLES.get(which, ()):
        found = [network for network in networks if network.role == role]
        if len(found) > 1:
            names = ', '.join(network.name for network in found)
            raise ValueError(f'{source} has several networks for {which!r}: name one of {names}')
        if found:
            return found[0]
    weights = {} if which in ROLES else _below(which, _trained(content))
    if not weights:
        there = ', '.join(map(str, networks))
        parts = ', '.join(sorted({key.partition('.')[0] for key in _trained(content)}))
        raise ValueError(f'{source} has no network {which!r}: it has {there}; its parts: {parts}')
    return next(
        (network for network in networks if network.name == which),
        Network(which, 'named', weights),
    )


def find_networks(content: Mapping[str, Any]) -> list[Network]:
    """The backbones of a checkpoint, the online one first.

    A network beside ``backbone`` is taken for its teacher if it has all its weights under
    another name, in the same shapes: MoCo's ``encoder_k``, BYOL's ``target_net``, MoCo v3's
    ``momentum_encoder``, DINO's ``teacher_backbone`` and any other.
    """
    trained, state = _trained(content), _entries(_state(content))
    online = _below('backbone', trained)
    if not online:
        return [Network('', 'extracted', trained)] if trained else []
    wanted = [key for key in online if not key.endswith('.num_batches_tracked')]
    copies = [
        name
        for name in (
            key.removesuffix(f'.{wanted[0]}') for key in trained if key.endswith(f'.{wanted[0]}')
        )
        if name != 'backbone'
        and all(_fits(trained.get(f'{name}.{key}'), online[key]) for key in wanted)
    ]
    averaged = 'n_averaged' in _state(content)
    networks = [Network('backbone', 'ema' if averaged else 'online', online)]
    networks += [Network(name, 'teacher', _below(name, trained)) for name in copies]
    if 'ema_state_dict' in content:
        networks.append(Network('backbone', 'ema', _below('backbone', state)))
    return networks


def _fits(value: Tensor | None, other: Tensor) -> bool:
    return value is not None and value.shape == other.shape


def _state(content: Mapping[str, Any]) -> Mapping[str, Any]:
    for key in ('state_dict', 'model'):
        if isinstance(content.get(key), Mapping):
            return content[key]
    return content


def _trained(content: Mapping[str, Any]) -> dict[str, Tensor]:
    """What was trained: EMAHook saves that as ``ema_state_dict`` and the average in its place."""
    return _entries(content.get('ema_state_dict') or _state(content))


def _entries(state: Mapping[str, Any]) -> dict[str, Tensor]:
    """Tensors by name, without wrappers."""
    return {
        _WRAPPERS.sub('', key): value
        for key, value in state.items()
        if isinstance(value, Tensor) and key not in _COUNTERS
    }


def _below(name: str, entries: Mapping[str, Tensor]) -> dict[str, Tensor]:
    prefix = f'{name}.'
    return {
        key.removeprefix(prefix): value for key, value in entries.items() if key.startswith(prefix)
    }
