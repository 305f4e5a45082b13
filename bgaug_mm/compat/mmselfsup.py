"""Makes mmselfsup 1.0.0 (and the mmcls 1.0.0rc6 it needs) importable and usable.

Nothing is imported here: a finder on ``sys.meta_path`` waits until somebody
(usually mmengine, because a config names the scope) imports one of the modules
listed in :data:`_REMEDIES` and applies the remedy around that import.
"""

import importlib
import logging
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

from mmengine.logging import print_log
from mmengine.registry import Registry
from mmengine.utils import digit_version

#: mmcls and mmselfsup accept 2.0.0rc4 <= mmcv < 2.1.0.
_MMCV_LIMIT, _MMCV_REPORTED = '2.1.0', '2.0.1'

_said: set[str] = set()


def _say_once(message: str) -> None:
    if message not in _said:
        _said.add(message)
        print_log(message, logger='current', level=logging.INFO)


@contextmanager
def report_mmcv_in_window(package: str) -> Iterator[None]:
    """Report an mmcv version that ``package`` accepts while it is imported.

    Reason: the ``__init__`` of mmcls and mmselfsup assert mmcv < 2.1.0, an upper
    bound that was the future when they were released. Cause present: mmcv is
    2.1.0 or newer. Delete when: neither package asserts it any more.
    """
    import mmcv

    version = mmcv.__version__
    if digit_version(version) < digit_version(_MMCV_LIMIT):
        yield
        return
    _say_once(
        f'bgaug_mm: {package} asserts mmcv < {_MMCV_LIMIT}; mmcv {version} reports '
        f'{_MMCV_REPORTED} while {package} is imported.'
    )
    mmcv.__version__ = _MMCV_REPORTED
    try:
        yield
    finally:
        mmcv.__version__ = version


def prune_registry_locations(module: ModuleType) -> None:
    """Drop import locations that do not exist from the registries of ``module``.

    Reason: mmselfsup's RUNNERS, RUNNER_CONSTRUCTORS and LOOPS name
    ``mmselfsup.engine.runner``, which was never released, and their first ``build``
    raises ModuleNotFoundError. Cause present: a location cannot be found. Delete
    when: every location that the packages name exists.
    """
    pruned: dict[str, list[str]] = {}
    for name, registry in vars(module).items():
        if not isinstance(registry, Registry) or f'{registry.scope}.registry' != module.__name__:
            continue
        missing = [loc for loc in registry._locations if not _exists(loc)]
        if missing:
            kept = [loc for loc in registry._locations if loc not in missing]
            # With no location at all mmengine would import the whole package.
            registry._locations = kept or [module.__name__]
            for location in missing:
                pruned.setdefault(location, []).append(name)
    for location, names in pruned.items():
        _say_once(
            f'bgaug_mm: {location}, where {module.__name__} looks for {", ".join(names)}, '
            'does not exist; dropped.'
        )


def _exists(location: str) -> bool:
    """Whether a module can be found below its (imported) root, importing nothing."""
    root, *parts = location.split('.')
    path: Sequence[str] | None = sys.modules[root].__path__ if root in sys.modules else None
    name = root
    for part in parts:
        name = f'{name}.{part}'
        spec = PathFinder.find_spec(name, path) if path is not None else None
        if spec is None:
            return False
        path = spec.submodule_search_locations
    return True


def drop_first_extra_norm(package: str) -> None:
    """Take ``ResLayerExtraNorm`` out of mmdet's registry before it is registered again.

    Reason: mmselfsup and mmpretrain both register it in mmdet's MODELS and mmdet
    imports mmpretrain, so that with the three installed the second one cannot be
    imported ("is already registered"). mmdet is imported first because the import
    of mmdet is what makes the other registration. Cause present: mmdet can be
    imported and holds the name. Delete when: one of the two no longer registers it.
    """
    try:
        importlib.import_module('mmdet.models')
        registry = importlib.import_module('mmdet.registry').MODELS
    except ImportError:  # upstream does without mmdet as well
        return
    if registry._module_dict.pop('ResLayerExtraNorm', None) is not None:
        _say_once(
            'bgaug_mm: ResLayerExtraNorm is registered in mmdet by mmpretrain and by '
            f'mmselfsup; the one of {package} replaces the first.'
        )


def _import_in_window(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    with report_mmcv_in_window(module.__name__):
        execute(module)


def _import_and_prune(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    execute(module)
    prune_registry_locations(module)


def _import_after_drop(execute: Callable[[ModuleType], None], module: ModuleType) -> None:
    drop_first_extra_norm(module.__name__.partition('.')[0])
    execute(module)


_REMEDIES: dict[str, Callable[[Callable[[ModuleType], None], ModuleType], None]] = {
    'mmcls': _import_in_window,
    'mmselfsup': _import_in_window,
    'mmcls.registry': _import_and_prune,
    'mmselfsup.registry': _import_and_prune,
    'mmselfsup.models.utils.res_layer_extra_norm': _import_after_drop,
    'mmpretrain.models.utils.res_layer_extra_norm': _import_after_drop,
}


class _RemedyFinder(MetaPathFinder):
    """Finds the modules of :data:`_REMEDIES` as Python would, and wraps their import."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        remedy = _REMEDIES.get(fullname)
        if remedy is None:
            return None
        for finder in sys.meta_path:
            if finder is self or not hasattr(finder, 'find_spec'):
                continue
            spec = finder.find_spec(fullname, path, target)
            if spec is not None:
                if spec.loader is not None:
                    # On the instance: the loader keeps its type and all else it can do.
                    execute = spec.loader.exec_module
                    spec.loader.exec_module = partial(remedy, execute)  # type: ignore[method-assign]
                return spec
        return None


def install_import_remedies() -> None:
    """Put the finder first on ``sys.meta_path`` (once), and repair what is already loaded."""
    if not any(isinstance(finder, _RemedyFinder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _RemedyFinder())
    for name in ('mmcls.registry', 'mmselfsup.registry'):
        if name in sys.modules:
            prune_registry_locations(sys.modules[name])
