"""Views of one or several recipes on the same images, as a page to read."""

from __future__ import annotations

import base64
import html
import os
from collections.abc import Mapping, Sequence
from io import BytesIO

from PIL import Image

from .html_report import Section, definition_list, page_body, write_page
from .mask_outline import Picture, mask_contours
from .sample_views import SampleViews, View
from .views_sheet import column_titles

_SMALL = 112  # pixels: up to there they are shown one by one
_STYLE = """
body { max-width: 76rem; }
.row { display: flex; flex-wrap: wrap; gap: .8rem; }
.groups { display: grid; gap: 0 1.5rem;
          grid-template-columns: repeat(auto-fit, minmax(min(23.4rem, 100%), 1fr)); }
th, td { text-align: left; vertical-align: top; }
.all { grid-column: 1 / -1; }
figure { margin: 0; width: min(11.3rem, calc(50% - .4rem)); }
figure.small { width: min(7rem, calc(33% - .6rem)); }
summary { cursor: pointer; font-weight: 600; margin: 1rem 0 .5rem; }
.picture { position: relative; line-height: 0; }
.picture img { width: 100%; }
img.pixels { image-rendering: pixelated; }
.picture svg { position: absolute; inset: 0; width: 100%; height: 100%; fill: none;
               stroke: #f0f; stroke-width: 1.5; }
.changed .picture { outline: 4px solid #d55e00; }
figcaption { font-size: .8rem; line-height: 1.35; padding-top: .5rem; overflow-wrap: anywhere; }
.mark { color: #a34800; font-weight: 600; }
h3 { font-size: 1rem; margin: 1rem 0 .5rem; }
#outlines:not(:checked) ~ main svg { display: none; }
section { border-top: 1px solid #ddd; padding-bottom: 1.5rem; margin-top: 1rem; }
"""


def views_page(
    path: str | os.PathLike[str],
    title: str,
    recipes: Mapping[str, Sequence[SampleViews]],
    names: Sequence[str],
    *,
    notes: Sequence[str] = (),
    table: Sequence[Sequence[str]] = (),
    settings: Mapping[str, str] | None = None,
) -> None:
    """Write a self-contained page: per image the original, its mask, and all views.

    Args:
        path: HTML file to write.
        title: Heading.
        recipes: Name → its samples, the same images in the same order.
        names: What to call the images.
        notes: Paragraphs under the heading. Defaults to none.
        table: What is to be known about the recipes; the first row is the head.
            Defaults to none.
        settings: Name → value, shown when unfolded. Defaults to none.
    """
    head = [Section('Recipes', table=table)] if table else []
    body = page_body(title, notes, head)
    if settings:
        items = definition_list(settings)
        body.append(f'<details><summary>Settings, versions, command</summary>{items}</details>')
    body.append(
        '<input type="checkbox" id="outlines" checked> '
        '<label for="outlines">Outline the masks on the views</label>\n<main>'
    )
    for name, samples in zip(names, zip(*recipes.values(), strict=True), strict=True):
        body.append(f'<section><h2>{html.escape(name)}</h2>\n<div class="groups">')
        body.append(_original(name, samples))
        for recipe, sample in zip(recipes, samples, strict=True):
            css = ' class="all"' if len(sample.views) > 4 else ''
            body.append(f'<div{css}><h3>{html.escape(recipe)}</h3>\n<div class="row">')
            titles = column_titles(sample)
            largest = max(view.image.shape[1] for view in sample.views)
            for view_title, view in zip(titles, sample.views, strict=True):
                alt = f'{name}, {recipe}, {view_title}'
                body.append(_view(alt, view_title, view, small=view.image.shape[1] < largest))
            body.append('</div></div>')
        body.append('</div></section>')
    body.append('</main>')
    write_page(path, title, body, style=_STYLE)


def _original(name: str, samples: Sequence[SampleViews]) -> str:
    image = samples[0].original
    mask = next((sample.mask for sample in samples if sample.mask is not None), None)
    height, width = image.shape[:2]
    parts = [_figure(image, f'{name}, original', f'original, {width} × {height} px')]
    if mask is not None:
        share = mask.mean() / 255
        parts.append(_figure(mask, f'{name}, mask', f'mask, {share:.0%} foreground'))
    else:
        parts.append('<p>No mask: the background is never exchanged.</p>')
    return f'<div><h3>image</h3>\n<div class="row">{"".join(parts)}</div></div>'


def _view(alt: str, title: str, view: View, *, small: bool) -> str:
    lines = [title]
    if view.crop_bbox is not None:
        x1, y1, x2, y2 = view.crop_bbox
        lines.append(f'crop x {x1}–{x2}, y {y1}–{y2}')
    if view.flip is not None:
        lines.append(f'flipped {html.escape(view.flip)}' if view.flip else 'not flipped')
    if view.mask is not None:
        lines.append(f'{view.mask.mean() / 255:.0%} foreground')
    if view.background_op is not None:
        lines.append(f'<span class="mark">{html.escape(view.background_op)}</span>')
        if view.background_params:
            lines[-1] += f': {html.escape(view.background_params)}'
    if view.note:
        lines.append(html.escape(view.note))
    changed = view.background_op is not None
    return _figure(
        view.image,
        f'{alt}, background changed' if changed else alt,
        '<br>'.join(lines),
        mask=view.mask,
        css=' '.join(['changed'] * changed + ['small'] * small),
    )


def _figure(
    image: Picture, alt: str, caption: str, *, mask: Picture | None = None, css: str = ''
) -> str:
    height, width = image.shape[:2]
    overlay = ''
    pixels = ' class="pixels"' if max(height, width) <= _SMALL else ''
    if mask is not None:
        # the line keeps its width at any size of the picture
        lines = ''.join(
            'M' + ' '.join(f'{x:.4g},{y:.4g}' for x, y in line) + 'Z'
            for line in mask_contours(mask)
        )
        overlay = (
            f'<svg viewBox="0 0 {width} {height}" aria-hidden="true">'
            f'<path vector-effect="non-scaling-stroke" d="{lines}"/></svg>'
        )
    return (
        f'<figure class="{css}"><div class="picture">'
        f'<img{pixels} width="{width}" height="{height}" alt="{html.escape(alt)}" '
        f'src="{_data(image)}">'
        f'{overlay}</div><figcaption>{caption}</figcaption></figure>\n'
    )


def _data(image: Picture) -> str:
    """Small pictures to the pixel, larger ones in a tenth of the bytes."""
    buffer = BytesIO()
    if max(image.shape) <= _SMALL or image.ndim == 2:
        kind = 'png'
        Image.fromarray(image).save(buffer, 'PNG', optimize=True)
    else:
        kind = 'jpeg'
        Image.fromarray(image).save(buffer, 'JPEG', quality=92, subsampling=0)
    return f'data:image/{kind};base64,{base64.b64encode(buffer.getvalue()).decode()}'
