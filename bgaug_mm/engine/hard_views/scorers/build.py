"""Find the scorer of an algorithm."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mmengine.logging import print_log
from torch import nn

from bgaug_mm.registry import VIEW_SCORERS

from .base import ViewScorer

GENERIC = 'GenericScorer'


def build_scorer(
    scorer: str | Mapping[str, Any] | ViewScorer, model: nn.Module, *, strict: bool = True
) -> ViewScorer:
    """Build a scorer, with ``'auto'`` the one for the model's class.

    ``'auto'`` goes through the bases of the model's class, so that an algorithm's subclasses
    and mixtures with it are scored by the algorithm's own part of the loss.

    Args:
        scorer (str | dict | ViewScorer): ``'auto'``, the name of a scorer's class in
            ``VIEW_SCORERS``, its config, or a scorer.
        model (nn.Module): The unwrapped algorithm.
        strict (bool): Whether an algorithm without a scorer is an error; otherwise it is
            scored by ``GenericScorer``, with a warning. Defaults to True.

    Returns:
        ViewScorer: The scorer.

    Raises:
        ValueError: If there is no such scorer, or none for the model under ``strict``.
    """
    if isinstance(scorer, ViewScorer):
        return scorer
    VIEW_SCORERS.import_from_location()
    known = VIEW_SCORERS.module_dict
    if scorer != 'auto':
        config = dict(scorer) if isinstance(scorer, Mapping) else dict(type=scorer)
        if VIEW_SCORERS.get(str(config.get('type'))) is None:
            raise ValueError(
                f"`scorer` must be 'auto' or one of {sorted(known)}, but got {scorer!r}"
            )
        # its own scope, else mmengine looks in the run's default scope first and warns
        return VIEW_SCORERS.build({**config, '_scope_': VIEW_SCORERS.scope})
    for base in type(model).__mro__:
        for found in known.values():
            if base.__name__ in found.algorithms:
                return found()
    served = sorted({name for found in known.values() for name in found.algorithms})
    message = f'no scorer knows the loss of {type(model).__name__} (known: {", ".join(served)})'
    if strict:
        raise ValueError(
            f'{message}: register one in `bgaug_mm.registry.VIEW_SCORERS`, or accept the negative '
            f"cosine of the projections by scorer='{GENERIC}' (or strict=False)"
        )
    print_log(
        f'HardViewSelectionHook: {message}; views are scored by {GENERIC}, the negative cosine of '
        'the projections, which is not its loss.',
        logger='current',
        level=logging.WARNING,
    )
    return VIEW_SCORERS.build(dict(type=GENERIC, _scope_=VIEW_SCORERS.scope))
