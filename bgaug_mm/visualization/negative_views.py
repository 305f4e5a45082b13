"""Background-matched negatives as pictures, beside the views they are made from."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from mmengine.config import Config

from ..models.algorithms.matched_negatives import matched_negatives
from ..models.algorithms.matched_negatives_moco import MatchedNegatives
from .sample_views import Picture, SampleViews, View


def matched_settings(config: Config) -> dict[str, Any]:
    """Options of a config's matched negatives with their defaults; empty without any."""
    model = config.get('model') or {}
    if str(model.get('type')).rpartition('.')[2] != 'MatchedNegativesMoCo':
        return {}
    options = {
        name: model.get(name, parameter.default)
        for name, parameter in inspect.signature(MatchedNegatives.__init__).parameters.items()
        if parameter.kind is parameter.KEYWORD_ONLY
    }
    return options if options['num_matched'] else {}


def with_matched_negatives(config: Config, samples: Sequence[SampleViews]) -> list[SampleViews]:
    """Put the negatives of a batch behind its views.

    They are composites of views, so it does not matter that the model makes them from
    normalised ones.

    Args:
        config: With a ``bgaug_mm.MatchedNegativesMoCo`` as model, else nothing is added.
        samples: One batch, as :func:`sample_views` gives it, with two views an epoch; an
            image's negatives take their content from those before it.

    Returns:
        list[SampleViews]: The samples with ``num_matched`` more views an epoch, whose
        ``role`` says that they are negatives. One that is left out is a grey picture.
    """
    options = matched_settings(config)
    if not options:
        return list(samples)
    epochs = len(samples[0].packed)
    count = len(samples[0].views) // epochs
    out = [sample._replace(views=[]) for sample in samples]
    for first in range(0, epochs * count, count):
        queries = [sample.views[first] for sample in samples]
        images = torch.stack([_tensor(query.image) for query in queries])
        masks = torch.stack([_tensor(_mask(query)) for query in queries]) / 255
        for sample, made in zip(samples, out, strict=True):
            made.views.extend(sample.views[first : first + count])
        for shift in range(1, options['num_matched'] + 1):
            pixels, usable = matched_negatives(
                images,
                masks,
                shift,
                form=options['matched_form'],
                limits=(options['min_foreground'], options['max_foreground']),
                infill=options['infill'],
            )
            for i, made in enumerate(out):
                other = samples[i - shift].path, queries[i - shift]
                new = pixels[i] if bool(usable[i]) else None
                made.views.append(_negative(queries[i], other, new, shift, options))
    return out


def _negative(
    query: View,
    other: tuple[str, View],
    pixels: torch.Tensor | None,
    shift: int,
    options: dict[str, Any],
) -> View:
    role = 'negative' if options['num_matched'] == 1 else f'negative {shift}'
    if pixels is None:
        image = np.full_like(query.image, 224)
        return View(image, role=role, note='left out: too little or too much foreground')
    image = pixels.permute(1, 2, 0).round().clamp(0, 255).byte().numpy()
    path, content = other
    form = options['matched_form']
    return View(
        image,
        query.mask if form == 'fill_query_mask' else content.mask,
        role=role,
        note=f'{"/".join(Path(path).parts[-2:])} on the background of view 1 ({form})',
    )


def _mask(query: View) -> Picture:
    if query.mask is not None:
        return query.mask[..., None]
    return np.full((*query.image.shape[:2], 1), 255, np.uint8)  # an image without a mask


def _tensor(picture: Picture) -> torch.Tensor:
    return torch.from_numpy(picture.transpose(2, 0, 1).copy()).float()
