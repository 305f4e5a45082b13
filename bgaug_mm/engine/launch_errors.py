"""Which errors a user can put right, and what to say."""

from __future__ import annotations

import json
import os
import re
import traceback
import xml.etree.ElementTree as ElementTree
from pathlib import Path

from mmengine.registry import Registry
from mmengine.registry import root as root_registries

from .. import environment
from ..compat import CheckpointError
from ..compat.config_paths import near
from .launch_config import SCOPES, LaunchError

_PACKAGE = str(Path(__file__).resolve().parent.parent) + os.sep


def explain(error: BaseException) -> str | None:
    """One message for an error the user can put right, None for any other.

    Such errors are those of the launcher, missing files and packages, damaged
    checkpoints and annotations, unknown types in a config, and whatever bgaug_mm itself raises, in
    this process or in a worker of the dataloader.
    """
    if isinstance(error, (LaunchError, CheckpointError)):
        return str(error)
    if isinstance(error, AssertionError) and 'is used but incompatible' in str(error):
        return f'{error}\n{environment.table(environment.rows())}'
    if isinstance(error, ImportError):
        return _missing_module(error)
    if isinstance(error, KeyError) and 'registry' in str(error):
        return _unknown_type(str(error.args[0]))
    if isinstance(error, FileNotFoundError):
        return str(error)
    if str(error).startswith('Caught ') and 'worker process' in str(error):
        text = str(error)
        files = re.findall(r'File "(.+?)", line', text)
        if files and files[-1].startswith(_PACKAGE):
            return text.rstrip().rpartition('\n')[2].partition(': ')[2]
        return None
    if str(error).startswith('need at least one array') and (empty := _empty_dataset(error)):
        return empty
    if annotation := _damaged_annotation(error):
        return annotation
    frames = traceback.extract_tb(error.__traceback__)
    raised_by_us = bool(frames) and frames[-1].filename.startswith(_PACKAGE)
    if raised_by_us and isinstance(error, (ValueError, OSError, RuntimeError)):
        return str(error)
    return None


def _missing_module(error: ImportError) -> str:
    """What is missing, with its install command where it is part of a stack."""
    if error.name == 'mmcv._ext':
        return (
            "mmcv's compiled operations, which this config needs, are missing or do not fit the "
            'installed torch; run (it compiles for a quarter of an hour):\n'
            + '\n'.join(environment.compile_mmcv_commands())
        )
    package = (error.name or '').partition('.')[0]
    if package in SCOPES:
        try:
            environment.require(package)
        except ImportError as missing:
            return str(missing)
    return str(error)


def _empty_dataset(error: BaseException) -> str | None:
    """Which dataset was empty, where mmengine stumbled over that while packing its entries."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        if frame.f_code.co_name == '_serialize_data':
            dataset = frame.f_locals['self']
            source = dataset.ann_file or ', '.join(map(str, dataset.data_prefix.values()))
            text = f'{source}: the dataset is empty'
            if dataset.filter_cfg:
                classes = ', '.join(map(str, dataset.metainfo.get('classes', ())))
                rules = ', '.join(f'{key}={value}' for key, value in dataset.filter_cfg.items())
                text += f', or no image is left by filter_cfg ({rules}; classes: {classes})'
            return text
    return None


def _damaged_annotation(error: BaseException) -> str | None:
    """Which file mmdet or pycocotools stumbled over; they do not say."""
    for frame, _ in traceback.walk_tb(error.__traceback__):
        where, names = frame.f_code.co_name, frame.f_locals
        if where == 'parse_data_info' and 'xml_path' in names.get('img_info', ()):
            kinds = (ElementTree.ParseError, AttributeError, TypeError, ValueError)
            if isinstance(error, kinds):
                return (
                    f'{names["img_info"]["xml_path"]}: not an annotation in the format of VOC, '
                    f'e.g. a tag is empty or missing ({error})'
                )
        path = names.get('annotation_file') if where == '__init__' else None
        if isinstance(path, (str, os.PathLike)) and isinstance(error, json.JSONDecodeError):
            return f'{path}: not JSON ({error})'
    return None


def _unknown_type(text: str) -> str:
    """mmengine's "X is not in the scope::name registry", with near names."""
    match = re.match(r'(\S+) is not in the (\w+)::(.+?) registry', text)
    if match is None:
        return text
    name, scope, kind = match.groups()
    known: dict[str, str] = {}
    for parent in vars(root_registries).values():
        if isinstance(parent, Registry):
            for registry in (parent, *parent.children.values()):
                if kind in (parent.name, registry.name):
                    known |= {key: f'{registry.scope}.{key}' for key in registry.module_dict}
    hint = near(name.rpartition('.')[2], known)
    return f'type {name!r} is not in the {kind} registry (looked up in scope {scope}).{hint}'
