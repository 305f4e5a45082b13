"""Views of one or several recipes on the same images, as one picture."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from .contact_sheet import contact_sheet
from .mask_outline import Picture, with_outline
from .sample_views import SampleViews


def column_titles(sample: SampleViews) -> list[str]:
    """A name for each view: its number, the epoch if there are several, its odd size."""
    epochs = len(sample.packed)
    each = len(sample.views) // epochs
    largest = max(view.image.shape[:2] for view in sample.views)
    titles = []
    for i, view in enumerate(sample.views):
        title = f'view {i % each + 1}' if view.role == 'view' else view.role
        if epochs > 1:
            title += f', epoch {i // each + 1}'
        if view.image.shape[:2] != largest:
            title += f' ({view.image.shape[1]} px)'
        titles.append(title)
    return titles


def views_sheet(
    recipes: Mapping[str, Sequence[SampleViews]],
    names: Sequence[str],
    *,
    cell: int = 144,
    outline: bool = True,
) -> Picture:
    """One row an image: original, mask, and a group of columns for each recipe.

    Views whose background was changed stand in an orange frame, with the operation's
    name under them.

    Args:
        recipes: Name → its samples, the same images in the same order.
        names: What to call the images.
        cell: Side of an image in pixels. Defaults to 144.
        outline: Draw the masks' borders over the views. Defaults to True.

    Returns:
        Picture: RGB.
    """
    rows, captions, marked = [], [], []
    for r, (name, samples) in enumerate(
        zip(names, zip(*recipes.values(), strict=True), strict=True)
    ):
        mask = next((sample.mask for sample in samples if sample.mask is not None), None)
        row: list[Picture | None] = [samples[0].original, mask]
        caption = [name, '' if mask is not None else 'no mask']
        for sample in samples:
            for view in sample.views:
                if view.background_op is not None:
                    marked.append((r, len(row)))
                row.append(with_outline(view.image, view.mask if outline else None, side=cell))
                # with blanks, so that it can be broken
                caption.append(re.sub('(?<=[a-z])(?=[A-Z])', ' ', view.background_op or ''))
        rows.append(row)
        captions.append(caption)
    titles, groups = ['original', 'mask'], [('', 2)]
    for recipe, samples_of in recipes.items():
        added = column_titles(samples_of[0])
        titles += added
        groups.append((recipe, len(added)))
    return contact_sheet(
        rows, titles, groups=groups, captions=captions, marked=marked, cell=cell, gap=12
    )
