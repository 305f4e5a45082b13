"""What the command line does to a config, and what is checked before a run.

Functions on configs, without a process group, a model or data.
"""

from __future__ import annotations

import logging
import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config, ConfigDict
from mmengine.device import get_device
from mmengine.logging import print_log

from .. import environment
from ..compat.config_paths import config_path, config_root, near

#: Packages that a config may name as a scope and that are no part of bgaug_mm.
SCOPES = ('mmselfsup', 'mmcls', 'mmpretrain', 'mmdet')
LOADERS = ('train_dataloader', 'val_dataloader', 'test_dataloader')


class LaunchError(Exception):
    """Something the user can put right; shown without a traceback."""


def load_config(name: str) -> Config:
    """Read a config by path or as ``package::path``.

    Raises:
        LaunchError: It does not exist (near names are listed), a base of it does
            not, or it needs a package that is not installed.
    """
    try:
        if name.startswith('bgaug_mm::'):
            path = config_path(name)
        elif '::' in name:
            path, _ = Config._get_cfg_path(name, '')
        else:
            path = name
            if not os.path.isfile(name):
                raise LaunchError(_no_such_config(name))
        cfg = Config.fromfile(path)
    except ModuleNotFoundError as error:
        package = re.match(r'(\w+) is not installed', str(error))
        if package:
            environment.require(package[1])
        raise
    except FileNotFoundError as error:
        raise LaunchError(f'config {name}: {error}') from error
    environment.require(*sorted(_scopes(cfg._cfg_dict)))
    return cfg


def _no_such_config(name: str) -> str:
    root = config_root()
    shipped = sorted(p.relative_to(root).as_posix() for p in root.rglob('*.py'))
    shipped = [p for p in shipped if not p.startswith('_base_/')]
    known = {
        p: f'configs/{p}' if os.path.isfile(f'configs/{p}') else f'bgaug_mm::{p}' for p in shipped
    }
    known = {os.path.basename(p): shown for p, shown in known.items()} | known
    known |= {f'configs/{p}': known[p] for p in shipped}
    known |= {p.as_posix(): p.as_posix() for p in Path(name).parent.glob('*.py')}
    hint = near(name, known) or near(os.path.basename(name), known)
    return f'config {name} does not exist.{hint} Shipped configs lie in {root}.'


def _scopes(node: Any) -> set[str]:
    """Known scopes that a config names (``_scope_``, ``default_scope``, ``scope.Type``)."""
    if isinstance(node, Mapping):
        found = set().union(*map(_scopes, node.values())) if node else set()
        for key in ('type', '_scope_', 'default_scope'):
            value = node.get(key)
            if isinstance(value, str) and value.partition('.')[0] in SCOPES:
                found.add(value.partition('.')[0])
        return found
    if isinstance(node, (list, tuple)):
        return set().union(*map(_scopes, node)) if node else set()
    return set()


def merge_options(cfg: Config, options: Mapping[str, Any]) -> None:
    """Merge ``--cfg-options``; a key that the config does not have is reported.

    Upstream adds unknown keys silently, so that a misspelt one does nothing. They
    are still added, because many are optional, but near names are shown.
    """
    known = list(_flat_keys(cfg._cfg_dict))
    for key in options:
        if key not in known:
            print_log(
                f'--cfg-options: {key} is not in the config and is added.{near(key, known)}',
                logger='current',
                level=logging.WARNING,
            )
    try:
        cfg.merge_from_dict(dict(options))
    except (TypeError, KeyError, ValueError, AttributeError) as error:
        raise LaunchError(f'--cfg-options {" ".join(options)}: {error}') from error


def _flat_keys(node: Any, prefix: str = '') -> Iterator[str]:
    items: Any = ()
    if isinstance(node, Mapping):
        items = node.items()
    elif isinstance(node, (list, tuple)):
        items = enumerate(node)
    for key, value in items:
        yield f'{prefix}{key}'
        yield from _flat_keys(value, f'{prefix}{key}.')


def innermost(dataset: Any, path: str) -> Iterator[tuple[str, ConfigDict]]:
    """The datasets inside wrappers and concatenations, each with its config key."""
    if 'dataset' in dataset:
        yield from innermost(dataset['dataset'], f'{path}.dataset')
    elif 'datasets' in dataset:
        for i, part in enumerate(dataset['datasets']):
            yield from innermost(part, f'{path}.datasets.{i}')
    else:
        yield path, dataset


def _datasets(cfg: Config, loaders: tuple[str, ...]) -> Iterator[tuple[str, ConfigDict]]:
    for loader in loaders:
        if cfg.get(loader):
            yield from innermost(cfg[loader]['dataset'], f'{loader}.dataset')


def set_data_root(cfg: Config, folder: str) -> None:
    """``--data``: the ``data_root`` of every innermost dataset, and the config's own.

    And what COCO's metrics read below it.
    """
    if not os.path.isdir(folder):
        raise LaunchError(f'--data {folder}: there is no such folder')
    roots = set()
    for _, dataset in _datasets(cfg, LOADERS):
        roots.add(dataset.get('data_root') or '')
        dataset['data_root'] = folder
    for key in ('val_evaluator', 'test_evaluator'):
        evaluators = cfg.get(key) or []
        for evaluator in evaluators if isinstance(evaluators, list) else [evaluators]:
            path = evaluator.get('ann_file') or ''
            for root in roots - {''}:
                if path.startswith(root):
                    evaluator['ann_file'] = os.path.join(folder, path[len(root) :].lstrip('/'))
    if 'data_root' in cfg:
        cfg.data_root = folder


def check_data(cfg: Config, loaders: tuple[str, ...]) -> None:
    """Raise unless the folders and lists that the datasets name exist.

    Raises:
        LaunchError: Naming the folder, the config key and what to do.
    """
    for key, dataset in _datasets(cfg, loaders):
        root = dataset.get('data_root') or ''
        if '://' in root or root.startswith('s3:'):
            continue
        if root and not os.path.isdir(root):
            raise LaunchError(
                f'the data folder {root} ({key}.data_root) does not exist; name another with '
                '--data PATH'
            )
        prefix = dataset.get('data_prefix') or ''
        for part in prefix.values() if isinstance(prefix, Mapping) else [prefix]:
            folder = os.path.join(root, part or '')
            if folder and '://' not in folder and not os.path.isdir(folder):
                has = sorted(os.listdir(root))[:8] if root else []
                raise LaunchError(
                    f'{folder} ({key}.data_prefix) does not exist; wrong layout? '
                    f'{root or "."} holds {", ".join(has) or "nothing"}'
                )
        listing = dataset.get('ann_file') or ''
        path = os.path.join(root, listing)
        if listing and '://' not in path and not os.path.isfile(path):
            if cfg.get('default_scope') == 'mmdet':
                raise LaunchError(
                    f'the annotations {path} ({key}.ann_file) do not exist; name others with '
                    f'--cfg-options {key}.ann_file=FILE, or their folder with --data PATH'
                )
            raise LaunchError(
                f'the list of images {path} ({key}.ann_file) does not exist; write it (a line an '
                'image: `class_folder/name.JPEG label`), or take class folders without a list: '
                f'--cfg-options {key}.ann_file='
            )


def check_devices() -> None:
    """Raise when a launcher started more processes than this machine has GPUs."""
    processes, gpus = int(os.environ.get('LOCAL_WORLD_SIZE', 1)), torch.cuda.device_count()
    if gpus and processes > gpus:
        raise LaunchError(f'{processes} processes were started, but this machine has {gpus} GPUs')


def set_loader_defaults(cfg: Config, *, pin_memory: bool, persistent_workers: bool) -> None:
    """What mmpretrain's launcher sets, and what torch insists on.

    Args:
        cfg: The config.
        pin_memory: False switches pinned memory off everywhere.
        persistent_workers: False switches persistent workers off everywhere.
    """
    for name in LOADERS:
        loader = cfg.get(name)
        if not loader:
            continue
        if cfg.get('default_scope') == 'mmpretrain':  # its configs rely on these
            loader.setdefault('pin_memory', torch.cuda.is_available())
            loader.setdefault('persistent_workers', True)
            loader.setdefault('collate_fn', dict(type='default_collate'))
        if not pin_memory:
            loader['pin_memory'] = False
        if not persistent_workers or not loader.get('num_workers'):
            loader['persistent_workers'] = False


def use_float32_without_gpu(cfg: Config) -> None:
    """Replace AmpOptimWrapper by OptimWrapper on a machine without an accelerator.

    Reason: mmengine's AmpOptimWrapper asserts a GPU, and recipes that run on one
    should also start on a laptop.
    """
    wrapper = cfg.get('optim_wrapper') or {}
    if str(wrapper.get('type')).rpartition('.')[2] != 'AmpOptimWrapper' or get_device() != 'cpu':
        return
    wrapper['type'] = 'OptimWrapper'
    for key in ('loss_scale', 'dtype', 'use_fsdp'):
        wrapper.pop(key, None)
    print_log(
        'No GPU: training in float32 (AmpOptimWrapper needs one).',
        logger='current',
        level=logging.WARNING,
    )
