"""The candidate views as the pipeline made them: recipes, sizes, the choice without scores."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def view_recipes(dataset: Any) -> list[int] | None:
    """Which pipeline of MultiView makes each view.

    Args:
        dataset: A built dataset, or wrappers around one, whose ``pipeline`` has a MultiView
            (ours or upstream's).

    Returns:
        list[int] | None: The pipeline's number for each view, e.g. [0, 0, 1, 1] for
        ``num_views=[2, 2]``; None when no MultiView is found.
    """
    while dataset is not None:
        for transform in getattr(getattr(dataset, 'pipeline', None), 'transforms', ()):
            if isinstance(getattr(transform, 'num_views', None), (list, tuple)):
                return [i for i, count in enumerate(transform.num_views) for _ in range(count)]
        inner = getattr(dataset, 'datasets', None)
        dataset = inner[0] if inner else getattr(dataset, 'dataset', None)
    return None


def num_globals(views: Sequence[Tensor]) -> int:
    """How many views are global: those of the largest size, which must come first.

    Raises:
        ValueError: If there are more than two sizes, or smaller views come before larger ones.
    """
    shapes = [tuple(view.shape) for view in views]
    count = shapes.count(shapes[0])
    rest = set(shapes[count:])
    if len(rest) > 1 or (rest and shapes[0][-2:] <= next(iter(rest))[-2:]) or shapes[0] in rest:
        raise ValueError(
            'views must be global ones of one size, then local ones of one smaller size, but '
            f'have the shapes {shapes}'
        )
    return count


def count_views(
    views: Sequence[Tensor], num_views_out: int, recipes: Sequence[int] | None
) -> tuple[int, int]:
    """Number of global candidates, and of local views to keep beside two global ones.

    Args:
        views (Sequence[Tensor]): The candidates, (B, C, H, W) each.
        num_views_out (int): Views to keep.
        recipes (Sequence[int], optional): Recipe of each view.

    Raises:
        ValueError: If there are too few, or the recipes are not one a view.
    """
    if len(views) < num_views_out:
        raise ValueError(
            f'`num_views_out` is {num_views_out}, but the pipeline makes only {len(views)} views: '
            'raise `num_views` of MultiView'
        )
    if recipes is not None and len(recipes) != len(views):
        raise ValueError(
            f'`recipes` must be {len(views)} numbers, one a view, but got {list(recipes)}'
        )
    count, num_locals = num_globals(views), num_views_out - 2
    if count < 2 or num_locals > len(views) - count:
        raise ValueError(
            f'`num_views_out` is {num_views_out}, 2 global views and {num_locals} local ones, but '
            f'the pipeline makes {count} and {len(views) - count}'
        )
    return count, num_locals


def first_views(globals_: int, num_locals: int, recipes: Sequence[int] | None) -> list[int]:
    """The views that stay without a choice: as good as random, for views are drawn alike.

    Args:
        globals_ (int): Number of global views, at least 2.
        num_locals (int): Locals to keep.
        recipes (Sequence[int], optional): Recipe of each global view.

    Returns:
        list[int]: The first view of each of the first two recipes (with one recipe the first
        two views), then the first locals.
    """
    second = 1
    if recipes is not None:
        second = next((i for i in range(globals_) if recipes[i] != recipes[0]), 1)
    return [0, second, *range(globals_, globals_ + num_locals)]


def prepare(model: nn.Module, views: Sequence[Tensor], score_size: int | None) -> list[Tensor]:
    """Preprocess views for scoring, on the model's device.

    The data preprocessor runs as outside training, so that an operation that it applies in
    training alone (a background, masks to append) is not seen by the scores.

    Args:
        model (nn.Module): Whose ``data_preprocessor`` is used.
        views (Sequence[Tensor]): (B, C, H, W) uint8 each.
        score_size (int, optional): Height of the largest views after a bilinear resize, others
            are scaled alike; views are never enlarged.

    Returns:
        list[Tensor]: (B, 3, h, w) float32 each.
    """
    preprocessor: Any = model.data_preprocessor
    data = preprocessor({'inputs': list(views), 'data_samples': None}, False)
    # mmselfsup's returns a tuple, the others a dict
    images = list(data['inputs'] if isinstance(data, Mapping) else data[0])
    height = max(image.shape[2] for image in images)
    if score_size is None or score_size >= height:
        return images
    sizes = [[max(1, round(side * score_size / height)) for side in i.shape[2:]] for i in images]
    return [
        F.interpolate(image, size, mode='bilinear', align_corners=False)
        for image, size in zip(images, sizes, strict=True)
    ]


def as_views(data_batch: Any) -> list[Tensor]:
    """The candidate views of a batch, (B, C, H, W) each.

    Raises:
        ValueError: If ``data_batch['inputs']`` is no list of views.
    """
    inputs = data_batch.get('inputs') if isinstance(data_batch, Mapping) else None
    if not isinstance(inputs, (list, tuple)) or not inputs:
        found = sorted(data_batch) if isinstance(data_batch, Mapping) else type(data_batch).__name__
        raise ValueError(
            '`HardViewSelectionHook` needs a dict whose `inputs` is a list of views, each '
            f'(B, C, H, W), as MultiView and default_collate make it, but got {found}'
        )
    # pseudo_collate leaves the images of a view as a list
    return [v if isinstance(v, Tensor) else torch.stack(list(v)) for v in inputs]
