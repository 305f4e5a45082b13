"""Views as the model's data preprocessor leaves them, for operations on the device."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import MODELS, DefaultScope
from torch import Tensor

from ..datasets.collate import default_collate
from ..datasets.sample_stream import SAMPLE_STREAM
from .sample_views import SampleViews, picture

#: A changed pixel differs by at least one grey level, 1 / 255 in the smallest unit in use.
_CHANGED = 1 / 512


def has_device_op(config: Config) -> bool:
    """Whether the data preprocessor of a config exchanges backgrounds."""
    preprocessor = (config.get('model') or {}).get('data_preprocessor') or {}
    return bool(preprocessor.get('background_op'))


def with_device_views(
    config: Config, samples: Sequence[SampleViews], *, seed: int = 0, progress: float = 0.0
) -> list[SampleViews]:
    """The samples as one batch after the data preprocessor, undone its normalisation.

    Args:
        config: With a ``bgaug_mm.BackgroundDataPreprocessor`` that has a
            ``background_op``, else nothing is changed.
        samples: One batch, as :func:`sample_views` gives it; give more than are shown,
            because they are each other's donors.
        seed: Seed of the operation. Defaults to 0.
        progress: Share of the training that is done, in [0, 1]. Defaults to 0.0.

    Returns:
        list[SampleViews]: The same samples with other views. A view that differs from
        the one the preprocessor makes without its operation names the operation.
    """
    if not has_device_op(config):
        return list(samples)
    settings = config.model.data_preprocessor
    name = str(settings.background_op.type).rpartition('.')[2]
    without = copy.deepcopy(settings)
    without.background_op = None
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmengine')):
        treat, leave = MODELS.build(settings), MODELS.build(without)

    out = [sample._replace(views=[]) for sample in samples]
    before = SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch, SAMPLE_STREAM.progress
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            for epoch in range(len(samples[0].packed)):
                SAMPLE_STREAM.set(seed=seed, epoch=epoch, progress=progress)
                torch.manual_seed(seed + epoch)
                batch = default_collate([sample.packed[epoch] for sample in samples])
                count = len(batch['inputs'])  # masks may follow the views in what comes out
                treated = treat(dict(batch), training=True)['inputs'][:count]
                untreated = leave(dict(batch), training=True)['inputs'][:count]
                for i, sample in enumerate(samples):
                    views = sample.views[epoch * count : (epoch + 1) * count]
                    for view, new, old in zip(views, treated, untreated, strict=True):
                        changed = bool((new[i] - old[i]).abs().max() > _CHANGED)
                        out[i].views.append(
                            view._replace(
                                image=picture(_grey_levels(new[i], settings)),
                                background_op=name if changed else None,
                                background_params='drawn on the device' if changed else None,
                            )
                        )
    finally:
        SAMPLE_STREAM.set(seed=before[0], epoch=before[1], progress=before[2])
    return out


def _grey_levels(pixels: Tensor, settings: Mapping[str, Any]) -> Tensor:
    """BGR in 0..255 of a normalised view (3, h, w)."""
    if settings.get('mean') is not None:
        mean, std = (
            torch.as_tensor(np.asarray(settings[key]), dtype=torch.float32).reshape(-1, 1, 1)
            for key in ('mean', 'std')
        )
        pixels = pixels.float() * std + mean
    to_rgb = any(settings.get(key) for key in ('bgr_to_rgb', 'rgb_to_bgr', 'to_rgb'))
    return pixels.flip(0) if to_rgb else pixels
