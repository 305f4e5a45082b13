"""What a config says about its views, and changes to it for looking at them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from mmengine.config import Config

from ..engine.launch_config import (
    LaunchError,
    check_data,
    innermost,
    load_config,
    merge_options,
    set_data_root,
)


class Operation(NamedTuple):
    """A background operation in a config."""

    key: str  #: where it stands, e.g. ``model.data_preprocessor.background_op``
    config: Any  #: the dict in the config

    @property
    def name(self) -> str:
        """Class name, with the source of backgrounds where the config names one."""
        name = _class_name(self.config)
        source = self.config.get('background')
        if isinstance(source, Mapping):
            name += f' ({_class_name(source)})'
        elif self.config.get('fill') is not None:
            name += f' ({self.config["fill"]})'
        return name

    @property
    def prob(self) -> str:
        """The probability in words."""
        return probability_text(self.config.get('prob'))


def _class_name(config: Mapping[str, Any]) -> str:
    return str(config.get('type')).rpartition('.')[2]


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
        if _class_name(node).startswith('Background'):
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
        return f'{end if start is None else start:g}'
    begin, until = prob.get('begin', 0.0), prob.get('until', 1.0)
    return f'{kind} from {start:g} to {end:g} between {begin:.0%} and {until:.0%} of the training'


def force_probability(config: Config, prob: float) -> None:
    """Give every background operation of a config this probability."""
    for operation in operations(config):
        operation.config['prob'] = prob


def read_class_folders(
    config: Config, images: str | None = None, masks: str | None = None
) -> list[str]:
    """Let the training set be read from class folders, where there is no list of images.

    For looking at a recipe of a large set on a small one: upstream's ImageNet insists
    on its list and on 1000 classes.

    Args:
        config: Its training dataset is changed.
        images: Class folders to read instead of the dataset's own. Defaults to None:
            its own, for datasets whose list (``ann_file``) does not exist.
        masks: The masks of ``images``. Defaults to None: ``images`` and ``_masks``.

    Returns:
        list[str]: The lists that do not exist.
    """
    left_out = []
    for _, dataset in innermost(config.train_dataloader.dataset, ''):
        split = dataset.get('split')  # mmpretrain's ImageNet takes list and folder from it
        ann_file = dataset.get('ann_file') or (f'meta/{split}.txt' if split else '')
        listing = os.path.join(dataset.get('data_root') or '', ann_file)
        if images is None:
            if not ann_file or '://' in listing or os.path.isfile(listing):
                continue
            left_out.append(listing)
            dataset['data_prefix'] = dataset.get('data_prefix') or split or ''
        scope = str(dataset['type']).rpartition('.')[0] or dataset.get('_scope_')
        scope = scope or config.get('default_scope')
        for key in [*dataset]:
            if key not in ('data_root', 'data_prefix', 'pipeline', '_scope_'):
                del dataset[key]
        dataset['type'] = f'{"mmpretrain" if scope == "mmpretrain" else "mmcls"}.CustomDataset'
        if images is not None:
            dataset['data_root'], dataset['data_prefix'] = '', images.rstrip('/')
    if images is not None:
        for wrapper in _with_masks(config.train_dataloader.dataset):
            wrapper['mask_root'] = masks
            wrapper.pop('list_file', None)
    return left_out


def _with_masks(dataset: Any) -> Iterator[Any]:
    if _class_name(dataset) == 'SaliencyMaskDataset':
        yield dataset
    for child in dataset.get('datasets') or [dataset.get('dataset')]:
        if child:
            yield from _with_masks(child)


#: What :attr:`Recipe.row` holds.
RECIPE_HEAD = ('recipe', 'background operation', 'probability', 'here', 'built on', 'config')


class Recipe(NamedTuple):
    """A config made ready for looking at its views."""

    name: str
    path: str  #: as it was given
    config: Config
    operation: str  #: in words; 'none' without one
    prob: str  #: as the config has it, in words
    op_prob: float | None  #: the forced probability
    without_list: list[str]  #: lists of images that do not exist

    @property
    def heading(self) -> str:
        """Name and probability."""
        if not self.prob:
            return self.name
        here = '' if self.op_prob is None else f', here {self.op_prob:g}'
        return f'{self.name} (p {self.prob}{here})'

    @property
    def row(self) -> list[str]:
        """What is to be known about it, as a line of a table."""
        here = self.prob if self.op_prob is None or not self.prob else f'{self.op_prob:g} (forced)'
        bases = Config._get_base_files(self.config.filename)
        built_on = ', '.join(bases if isinstance(bases, list) else [bases])
        return [self.name, self.operation, self.prob, here, built_on, self.path]


def read_recipe(
    path: str,
    name: str,
    *,
    data: str | None = None,
    images: str | None = None,
    masks: str | None = None,
    options: Mapping[str, Any] | None = None,
    op_prob: float | None = None,
) -> Recipe:
    """Read a config and change it for looking at its views.

    Args:
        path: Config file, or ``package::path``.
        name: What to call it.
        data: ``data_root`` of the datasets. Defaults to None, the config's.
        images: Class folders to read instead. Defaults to None.
        masks: Their masks. Defaults to None, ``images`` and ``_masks``.
        options: Changes to the config, key → value. Defaults to none.
        op_prob: Probability of its background operations. Defaults to None, theirs.

    Raises:
        LaunchError: The config cannot be read, has no training set, or its data are
            not there.
    """
    config = load_config(path)
    merge_options(config, options or {})
    if config.get('train_dataloader') is None:
        raise LaunchError(f'{path} has no train_dataloader: there are no views to show')
    if images is not None and not os.path.isdir(images):
        raise LaunchError(f'--images {images}: there is no such folder')
    if data is not None:
        set_data_root(config, data)
    without_list = []
    if data is not None or images is not None:
        without_list = read_class_folders(config, images, masks)
    try:
        check_data(config, ('train_dataloader',))
    except LaunchError as error:
        hint = (
            '' if data is None else f'; class folders of any layout are read with --images {data}'
        )
        raise LaunchError(f'{error}{hint}') from error
    found = operations(config)
    operation = '; '.join(dict.fromkeys(op.name for op in found)) or 'none'
    if any(op.key.startswith('model.') for op in found):
        operation += ', on the device'
    prob = '; '.join(dict.fromkeys(op.prob for op in found))
    if op_prob is not None:
        force_probability(config, op_prob)
    return Recipe(name, path, config, operation, prob, op_prob, without_list)
