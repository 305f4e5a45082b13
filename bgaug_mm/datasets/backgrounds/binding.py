"""Make a dataset known to the sources of backgrounds in its pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any


def bind_sources(pipeline: Any, dataset: Any) -> None:
    """Call ``bind(dataset)`` of every transform that has it.

    Args:
        pipeline: A transform, a sequence of them, or a transform that holds others in
            ``transforms`` (Compose, MultiView, mmcv's RandomApply and RandomChoice), to
            any depth.
        dataset: What they are bound to.
    """
    if hasattr(pipeline, 'bind'):
        pipeline.bind(dataset)
    inner = pipeline if isinstance(pipeline, Sequence) else getattr(pipeline, 'transforms', ())
    for transform in inner:
        bind_sources(transform, dataset)
