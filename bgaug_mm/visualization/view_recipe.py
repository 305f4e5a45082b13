"""What a config says about its views, and changes to it for looking at them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mmengine.config import Config

from ..engine.launch_config import innermost


class Operation(NamedTuple):
    """A background operation in a config."""

    key: str  #: where it stands, e.g. ``model.data_preprocessor.background_op``
    config: Any  #: the dict in the config

    @property
    def name(self) -> str:
        """Class name."""
        return str(self.config['type']).rpartition('.')[2]

    @property
    def prob(self) -> str:
        """The probability in words."""
        return probability_text(self.config.get('prob'))


def operations(config: Config) -> list[Operation]:
    """The background operations of the training pipeline and of the data preprocessor."""
    found = list(_walk(config.train_dataloader.dataset, 'train_dataloader.dataset'))
    preprocessor = (config.get('model') or {}).get('data_preprocessor') or {}
    if preprocessor.get('background_op'):
        key = 'model.data_preprocessor.background_op'
        found.append(Operation(key, preprocessor['background_op']))
    return found


def _walk(node: Any, key: str) -> Iterator[Operation]:
    if isinstance(node, Mapping):
        # operations are called Background…, their sources …Background
        if str(node.get('type')).rpartition('.')[2].startswith('Background'):
            yield Operation(key, node)
            return
        for name, value in node.items():
            yield from _walk(value, f'{key}.{name}')
    elif isinstance(node, (list, tuple)):
        for i, value in enumerate(node):
            yield from _walk(value, f'{key}.{i}')


def probability_text(prob: Any) -> str:
    """A probability of a config in words.

    Args:
        prob: A number, a schedule's dict, or None for the operation's default.
    """
    if prob is None:
        return "the operation's default"
    if not isinstance(prob, Mapping):
        return f'{prob:g}'
    kind, start, end = prob.get('type', 'constant'), prob.get('start'), prob.get('end')
    if kind == 'constant' or start == end:
        return f'{start if start is not None else end}'
    begin, until = prob.get('begin', 0.0), prob.get('until', 1.0)
    return f'{kind} from {start} to {end} between {begin:.0%} and {until:.0%} of the training'


def force_probability(config: Config, prob: float) -> None:
    """Give every background operation of a config this probability."""
    for operation in operations(config):
        operation.config['prob'] = prob


def read_class_folders(config: Config) -> list[str]:
    """Let datasets whose list of images does not exist read the folders instead.

    For looking at a recipe of a large set on a small one: upstream's ImageNet insists
    on its list and on 1000 classes.

    Args:
        config: Its training dataset is changed.

    Returns:
        list[str]: The lists that were left out.
    """
    left_out = []
    for _, dataset in innermost(config.train_dataloader.dataset, ''):
        listing = os.path.join(dataset.get('data_root') or '', dataset.get('ann_file') or '')
        if not dataset.get('ann_file') or '://' in listing or os.path.isfile(listing):
            continue
        left_out.append(listing)
        scope, _, _ = str(dataset['type']).rpartition('.')
        scope = scope or dataset.get('_scope_') or config.get('default_scope') or 'mmcls'
        for key in [*dataset]:
            if key not in ('data_root', 'data_prefix', 'pipeline', '_scope_'):
                del dataset[key]
        dataset['type'] = f'{"mmpretrain" if scope == "mmpretrain" else "mmcls"}.CustomDataset'
    return left_out
