"""A file of one backbone's weights, taken out of a checkpoint."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ..files import write_bytes
from ..version import __version__
from .architecture import describe
from .key_names import LIBRARIES, from_library, to_library
from .picking import Network, pick_network
from .reading import read_checkpoint
from .safetensors_file import write_safetensors
from .stored_config import stored_config

#: OpenMMLab's own names.
MM = 'mm'
LAYOUTS = (MM, *LIBRARIES)
SUFFIXES = ('.pth', '.pt', '.safetensors')
#: Passed on when a file that was extracted is converted.
_HISTORY = ('network', 'epoch', 'iter', 'input')


def extract_backbone(
    source: str | os.PathLike[str],
    target: str | os.PathLike[str],
    *,
    which: str = 'auto',
    to: str = MM,
    names: str = MM,
) -> tuple[Network, dict[str, str]]:
    """Write one backbone of a checkpoint, under the names of a library.

    A ``.pth`` holds ``state_dict`` and ``meta``, which mmengine's ``Pretrained``, timm and
    ``PretrainedBackboneHook`` read as they are; for detectron2 ``model``, with the marks by
    which it finds the weights' places in a detector, ``res5`` of a C4 head too. A
    ``.safetensors`` has the weights, and ``meta`` as its metadata.

    Args:
        source (str | PathLike): See :func:`~bgaug_mm.checkpoints.read_checkpoint`.
        target (str | PathLike): ``.pth``, ``.pt`` or ``.safetensors``; written whole or not
            at all.
        which (str): See :func:`~bgaug_mm.checkpoints.pick_backbone`. Defaults to 'auto'.
        to (str): ``'mm'``, ``'torchvision'``, ``'timm'`` or ``'detectron2'``. Defaults to 'mm'.
        names (str): The same of the source's names. Defaults to 'mm'.

    Returns:
        tuple: What was taken, and what was written beside it: where it comes from.

    Raises:
        FileNotFoundError: If there is no such checkpoint.
        CheckpointError: If it cannot be read.
        ValueError: For unknown options, no such network, or weights without a place there.
    """
    source, target = Path(source), Path(target)
    _check(source, target, to, names)
    content = read_checkpoint(source)
    network = pick_network(content, which=which, source=str(source))
    weights = network.weights if names == MM else from_library(network.weights, names)
    provenance = _provenance(content, source, network, weights, to)
    if to != MM:
        weights = to_library(weights, to)
    _write(target, weights, provenance, to)
    return Network(network.name, network.role, dict(weights)), provenance


def _check(source: Path, target: Path, to: str, names: str) -> None:
    for option, value in (('to', to), ('names', names)):
        if value not in LAYOUTS:
            raise ValueError(f'`{option}` must be one of {", ".join(LAYOUTS)}, but got {value!r}')
    if target.suffix not in SUFFIXES:
        raise ValueError(f'the file must end in {", ".join(SUFFIXES)}, but got {target}')
    if to == 'detectron2' and target.suffix == '.safetensors':
        raise ValueError(f'detectron2 reads no .safetensors: write a .pth instead of {target}')
    if source.resolve() == target.resolve():
        raise ValueError(f'{target} is the checkpoint itself: name another file')


def _provenance(
    content: Mapping[str, Any], source: Path, network: Network, weights: dict[str, Tensor], to: str
) -> dict[str, str]:
    """Texts, because a ``.safetensors`` file takes no more."""
    meta = content.get('meta') or {}
    found = {key: meta[key] for key in _HISTORY if meta.get(key) is not None}
    if network.name:
        found['network'] = str(network)
    found.setdefault('network', str(network))
    found |= _input(content)
    found |= {
        'architecture': describe(weights) or 'unknown',
        'layout': to,
        'source': source.name,
        'source_sha256': hashlib.sha256(source.read_bytes()).hexdigest(),
        'written_by': f'bgaug_mm {__version__}',
    }
    return {key: str(value) for key, value in found.items()}


def _input(content: Mapping[str, Any]) -> dict[str, str]:
    """The normalisation in training, which the weights need, where the config tells it."""
    try:
        config = stored_config(content, '')
    except ValueError:
        return {}
    model = config.get('model') or {}
    settings = model.get('data_preprocessor') or config.get('data_preprocessor') or {}
    if not settings.get('mean') or not settings.get('std'):
        return {}
    order = 'RGB' if settings.get('bgr_to_rgb') or settings.get('to_rgb') else 'BGR'
    return {'input': f'{order}, mean {list(settings["mean"])}, std {list(settings["std"])}'}


def _write(target: Path, weights: Mapping[str, Tensor], meta: dict[str, str], to: str) -> None:
    if target.suffix == '.safetensors':
        write_safetensors(target, weights, meta)
        return
    # clones: a view would bring all that it is a view of
    weights = {key: value.clone() for key, value in weights.items()}
    content: dict[str, Any] = {'state_dict': weights, 'meta': meta}
    if to == 'detectron2':
        # DetectionCheckpointer then looks for each name at the end of the model's names
        marks = {'__author__': 'bgaug_mm', 'matching_heuristics': True}
        content = {'model': weights, **marks, 'meta': meta}
    file = BytesIO()
    torch.save(content, file)
    write_bytes(target, file.getvalue())
