"""Notice a background operation that a config names and no view has."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from typing import Any

from mmengine.config import Config
from mmengine.logging import print_log

from ..datasets.view_pipelines import plain
from .launch_config import load_config


def warn_of_unused_operation(cfg: Config) -> None:
    """Say so when the config overrides ``background_op`` and no view has what it says.

    A recipe puts it into the views while its own file is read: what an inheriting
    config or ``--cfg-options`` makes of the variable afterwards changes nothing.
    """
    named = plain(cfg.get('background_op'))
    if not named or _holds(plain([cfg.get('train_dataloader'), cfg.get('model')]), named):
        return
    below = _below(cfg)
    if named in below or not any(below):  # not overridden here
        return
    print_log(
        '`background_op` of the config is not the one in its views, and does nothing. To change '
        "a recipe's: `train_dataloader = with_background_op(_base_.train_dataloader, "
        'dict(_base_.background_op, prob=0.1))` (from bgaug_mm.datasets.views)',
        logger='current',
        level=logging.WARNING,
    )


def _holds(node: Any, wanted: Any) -> bool:
    if node == wanted:
        return True
    children = node.values() if isinstance(node, Mapping) else node
    return isinstance(node, (Mapping, list, tuple)) and any(_holds(c, wanted) for c in children)


def _below(cfg: Config) -> list[Any]:
    """``background_op`` of each base of the config."""
    bases = Config._get_base_files(cfg.filename)
    folder = os.path.dirname(cfg.filename)
    paths = [
        base if '::' in base else os.path.join(folder, base)
        for base in ([bases] if isinstance(bases, str) else bases)
    ]
    return [plain(load_config(path).get('background_op')) for path in paths]
