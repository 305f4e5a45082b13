"""Checkpoints are loaded without running code from the file.

A checkpoint is a pickle, and a pickle may name any callable. Here only the
classes that mmengine writes are allowed; anything else is an error that names
the file and the object, never a silent fallback to an unrestricted load.
"""

import importlib
import os
import pickle
import re
import zipfile
from _compat_pickle import IMPORT_MAPPING
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from mmengine.dist import barrier, get_dist_info
from mmengine.logging import HistoryBuffer
from mmengine.runner import checkpoint as mm_checkpoint
from mmengine.utils.dl_utils import TORCH_VERSION

#: Comma-separated names of further classes to allow, e.g. ``argparse.Namespace``.
ENV_ALLOW = 'BGAUG_ALLOW_CHECKPOINT_GLOBALS'

#: torch.load(weights_only=True) takes names with its allow-list from 2.6 on.
_HAS_SAFE_GLOBALS = tuple(map(int, re.findall(r'\d+', TORCH_VERSION)[:2])) >= (2, 6)

_user_allowed: dict[str, Any] = {}


class CheckpointError(RuntimeError):
    """A checkpoint that cannot be read, or that may not be read safely."""


def allow_checkpoint_globals(objects: Iterable[Any]) -> None:
    """Allow further classes or functions in checkpoints, for files you trust.

    Args:
        objects: Classes or functions, as a checkpoint names them. What is allowed
            may be called with any argument, so never allow ``getattr``, ``eval``
            or anything else that reaches other code.
    """
    _user_allowed.update({f'{obj.__module__}.{obj.__qualname__}': obj for obj in objects})


def _statistics_method(owner: Any, name: str) -> Any:
    """Stands in for ``getattr``: HistoryBuffer pickles its methods by that.

    Only functions of that class are given out.
    """
    if owner is not HistoryBuffer or name not in ('min', 'max', 'current', 'mean', 'statistics'):
        raise pickle.UnpicklingError(f'GLOBAL builtins.getattr({owner!r}, {name!r}) not allowed')
    return getattr(HistoryBuffer, name)


def _allowed() -> dict[str, Any]:
    """What mmengine's checkpoints contain besides tensors, by pickled name."""
    names: dict[str, Any] = {
        'mmengine.logging.history_buffer.HistoryBuffer': HistoryBuffer,
        'builtins.getattr': _statistics_method,
        'builtins.set': set,
        'builtins.slice': slice,
        'builtins.complex': complex,
        '_codecs.encode': _encode,
        'numpy.ndarray': np.ndarray,
        'numpy.dtype': np.dtype,
    }
    for module in ('numpy.core', 'numpy._core'):  # numpy 1 and 2 read each other's files
        names[f'{module}.multiarray._reconstruct'] = np.zeros(1).__reduce__()[0]
        names[f'{module}.multiarray.scalar'] = np.float64(0).__reduce__()[0]
    for code in '?bBhHiIlLqQefdgFDGSU':  # not 'O': arrays of objects
        dtype = type(np.dtype(code))
        names[f'{dtype.__module__}.{dtype.__qualname__}'] = dtype
    for name in filter(None, os.environ.get(ENV_ALLOW, '').split(',')):
        module, _, attribute = name.strip().rpartition('.')
        try:
            names[name.strip()] = getattr(importlib.import_module(module), attribute)
        except (ImportError, AttributeError, ValueError) as error:
            raise ValueError(
                f'{ENV_ALLOW} names {name.strip()!r}, which cannot be imported'
            ) from error
    return {**names, **_user_allowed}


def _encode(text: str, encoding: str) -> bytes:
    """Stands in for ``_codecs.encode``, by which protocol 2 writes bytes."""
    return text.encode(encoding)


def _pickle_module(allowed: dict[str, Any]) -> Any:
    """A ``pickle_module`` for torch.load that finds only what is in ``allowed``."""
    torch_allowed = torch._weights_only_unpickler._get_allowed_globals()

    class Unpickler(pickle.Unpickler):
        def find_class(self, module: str, name: str) -> Any:
            full = f'{IMPORT_MAPPING.get(module, module)}.{name}'
            for table in (allowed, torch_allowed):
                if full in table:
                    return table[full]
            if module == 'torch' and isinstance(getattr(torch, name, None), torch.dtype):
                return getattr(torch, name)
            raise pickle.UnpicklingError(f'GLOBAL {full} was not allowed')

    def load(file: Any, **kwargs: Any) -> Any:
        return Unpickler(file, **kwargs).load()

    return SimpleNamespace(__name__='bgaug_mm', Unpickler=Unpickler, load=load)


def safe_load(file: Any, map_location: Any = None, weights_only: bool | None = None) -> Any:
    """``torch.load`` restricted to tensors and to what mmengine's checkpoints contain.

    Args:
        file: Path or file object.
        map_location: As torch.load's.
        weights_only: Ignored, the load is always restricted (upstream's signature).

    Raises:
        CheckpointError: The file is damaged, or needs a class that is not allowed.
    """
    if isinstance(file, (str, os.PathLike)) and os.fspath(file).endswith('.safetensors'):
        from ..checkpoints.safetensors_file import read_safetensors

        tensors, metadata = read_safetensors(file)
        return {'state_dict': tensors, 'meta': metadata}
    name = file if isinstance(file, (str, os.PathLike)) else getattr(file, 'name', 'checkpoint')
    try:
        if _HAS_SAFE_GLOBALS:
            entries: Any = [(obj, key) for key, obj in _allowed().items()]
            with torch.serialization.safe_globals(entries):
                return torch.load(file, map_location=map_location, weights_only=True)
        return torch.load(file, map_location=map_location, pickle_module=_pickle_module(_allowed()))
    except pickle.UnpicklingError as error:
        refused = re.search(r'GLOBAL (\S+)|function (.+)', str(error))
        if refused is None:
            raise CheckpointError(_damaged(name, error)) from error
        offender = (refused[1] or refused[2]).strip()
        raise CheckpointError(
            f'{name} needs {offender}, which is not allowed in a checkpoint because loading '
            'it could run code from the file. If you trust the file, allow it with '
            f'{ENV_ALLOW}={offender} in the environment or '
            'bgaug_mm.compat.allow_checkpoint_globals([…]), or convert the file once: '
            f'torch.save({{"state_dict": torch.load({str(name)!r}, weights_only=False)'
            '["state_dict"]}, "weights.pth")'
        ) from error
    except (EOFError, OSError, RuntimeError, KeyError, IndexError) as error:
        raise CheckpointError(_damaged(name, error)) from error


def _damaged(name: Any, error: Exception) -> str:
    return f'{name} is not a readable checkpoint (truncated, or another format): {error}'


def is_complete(path: str) -> bool:
    """Whether a local checkpoint was written to its end (the zip directory is last)."""
    return os.path.isfile(path) and zipfile.is_zipfile(path)


def load_from_local(filename: str, map_location: Any = None) -> Any:
    """Loader of mmengine's for paths, restricted. Arguments as :func:`safe_load`'s."""
    path = os.path.expanduser(filename)
    if not os.path.isfile(path):
        raise FileNotFoundError(f'checkpoint {filename} does not exist')
    return safe_load(path, map_location)


def load_from_http(
    filename: str,
    map_location: Any = None,
    model_dir: str | None = None,
    progress: bool = False,
) -> Any:
    """Loader of mmengine's for http(s), restricted; rank 0 of each machine downloads.

    Args:
        filename: The URL.
        map_location: As torch.load's.
        model_dir: Where to keep the file; default torch.hub's checkpoints folder.
        progress: Whether to show a progress bar.
    """
    folder = model_dir or os.path.join(torch.hub.get_dir(), 'checkpoints')
    path = os.path.join(folder, os.path.basename(filename.partition('?')[0]))
    rank, _ = get_dist_info()
    if int(os.environ.get('LOCAL_RANK', rank)) == 0 and not os.path.isfile(path):
        os.makedirs(folder, exist_ok=True)
        torch.hub.download_url_to_file(filename, path, progress=progress)
    barrier()
    return safe_load(path, map_location)


def load_checkpoints_safely() -> None:
    """Replace mmengine's loaders of local and http(s) checkpoints.

    Reason: mmengine 0.10.7 cannot resume on torch >= 2.6 (weights_only) and runs code
    from the file on older torch; OneDL's engine falls back to ``weights_only=False``.
    Cause present: always. Delete when: mmengine loads its own checkpoints restricted,
    without a fallback. (The loaders of pavi:// and ceph, private stores, stay as they are
    on mmengine 0.10.7.)
    """
    loader = mm_checkpoint.CheckpointLoader
    loader.register_scheme('', load_from_local, force=True)
    loader.register_scheme(('http://', 'https://'), load_from_http, force=True)
    # torchvision://, open-mmlab:// and mmcls:// call it by this name
    mm_checkpoint.load_from_http = load_from_http
    if hasattr(mm_checkpoint, '_safe_torch_load'):
        mm_checkpoint._safe_torch_load = safe_load
