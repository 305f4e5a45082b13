"""A study as a YAML file."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, fields, replace
from pathlib import Path
from typing import Any, TypeVar

import yaml

from bgaug_mm.compat.config_paths import config_root

from .spec import Arm, Method, Study, World

#: Without `/`, which joins the parts of a run's name, and `.`, which joins arm and edit.
_NAME = re.compile(r'[A-Za-z0-9_+-]+')
_PRESET = 'demo/{}_study.yml'


def read_study(name: str | os.PathLike[str]) -> Study:
    """Read a study.

    Args:
        name: A YAML file, or the name of a preset (``configs/demo/NAME_study.yml``).

    Raises:
        ValueError: Naming the file and what is wrong in it.
    """
    path = Path(name)
    if not path.is_file():
        presets = sorted(
            found.name.removesuffix('_study.yml')
            for found in config_root().glob(_PRESET.format('*'))
        )
        if str(name) not in presets:
            raise ValueError(f'{name} is neither a file nor a preset ({", ".join(presets)})')
        path = config_root() / _PRESET.format(name)
    try:
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
        return _study(content)
    except (ValueError, TypeError, yaml.YAMLError) as error:
        raise ValueError(f'{path}: {error}') from error


def _study(content: Any) -> Study:
    values = dict(_mapping(content, 'a study'))
    masks = values.pop('masks', None)
    for key, kind in (('worlds', World), ('methods', Method), ('arms', Arm)):
        if key in values:
            values[key] = {
                name: _build(kind, settings or {}, f'{key}.{name}')
                for name, settings in _mapping(values[key], f'`{key}`').items()
            }
            if not values[key]:
                raise ValueError(f'`{key}` is empty')
            _check_names(values[key], key)
    study = _build(Study, values, '')
    if masks is not None:
        study = replace(study, arms={**study.arms, **_mask_arms(study, masks)})
    for name, arm in study.arms.items():
        unknown = [method for method in arm.methods or () if method not in study.methods]
        if unknown:
            raise ValueError(f'`arms.{name}.methods` names {unknown}, which are no `methods`')
    for name, method in study.methods.items():
        if not isinstance(method.seeds, int) or method.seeds < 1:
            raise ValueError(f'`methods.{name}.seeds` must be at least 1, but got {method.seeds!r}')
        _check_epochs(method.epochs, f'methods.{name}.epochs')
    _check_epochs(study.epochs, 'epochs')
    return study


def _check_epochs(epochs: Any, key: str) -> None:
    if epochs is not None and (not isinstance(epochs, int) or epochs < 1):
        raise ValueError(f'`{key}` must be at least 1, but got {epochs!r}')


def _mask_arms(study: Study, masks: Any) -> dict[str, Arm]:
    """The arms of ``masks``: ``of`` again, with each of the ``edits``."""
    settings = dict(_mapping(masks, '`masks`'))
    of, edits = settings.pop('of', None), settings.pop('edits', None)
    if of not in study.arms or study.arms[of].op is None:
        raise ValueError(f'`masks.of` must name an arm with an `op`, but got {of!r}')
    edits = _mapping(edits, '`masks.edits`')
    _check_names(edits, 'masks.edits')
    changes = _build(Arm, {'late': True, **settings}, 'masks')
    return {
        f'{of}.{name}': replace(
            study.arms[of],
            masks=_mapping(edit, f'`masks.edits.{name}`'),
            late=changes.late,
            methods=changes.methods,
        )
        for name, edit in edits.items()
    }


def _check_names(names: Iterable[Any], key: str) -> None:
    for name in names:
        if not _NAME.fullmatch(str(name)):
            raise ValueError(
                f'`{key}`: the name {name!r} must be of letters, digits, "_+-"; others mean '
                'something in names of runs'
            )


def _mapping(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ValueError(f'{name} must be a mapping, but is {value!r}')
    return value


_T = TypeVar('_T')


def _build(kind: type[_T], values: Any, name: str) -> _T:
    values = _mapping(values, f'`{name}`')
    known = fields(kind)  # type: ignore[arg-type]
    names = [entry.name for entry in known]
    where = f' in `{name}`' if name else ''
    if unknown := [key for key in values if key not in names]:
        raise ValueError(f'unknown {unknown}{where}; there are {", ".join(names)}')
    needed = [e.name for e in known if e.default is MISSING and e.default_factory is MISSING]
    if missing := [key for key in needed if key not in values]:
        raise ValueError(f'{missing} is missing{where}')
    return kind(**values)
