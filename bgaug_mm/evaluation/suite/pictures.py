"""Pictures of an evaluation: heat maps of the same images, and the surest wrong answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.failures import one_line
from bgaug_mm.files import write_image
from bgaug_mm.visualization import Section, contact_sheet, with_outline

from ..networks.heat_maps import heat_maps
from .results import Evaluation
from .run_result import RunResult
from .shown import Picture, Shown, shown_world

_CELL = 112
#: Weight of the heat over the picture.
_HEAT = 0.55


def pictures(
    evaluation: Evaluation,
    folder: Path,
    *,
    size: int | None = None,
    set_name: str = 'mixed_rand',
    rows: int = 8,
    most: int = 4,
) -> list[Section]:
    """Make ``heat_maps.png`` and ``failures_<i>.png``, as far as they can be made.

    Args:
        evaluation: The first run of each label is shown. Runs read from a file have no network
            and are left out.
        folder: Where the pictures go.
        size: Side a world's images are resized to. Defaults to None, as they are.
        set_name: The set of a world that is shown. Defaults to ``'mixed_rand'``.
        rows: Images of the heat maps. Defaults to 8.
        most: Labels shown, at most. Defaults to 4.

    Returns:
        list[Section]: For the page. A picture that fails is a section that says why.
    """
    sections = []
    try:
        views = _views(evaluation, set_name, size)[:most]
        first = [one for one in views if one[0].data == views[0][0].data]
        if first:
            sections.append(_heat_section(first, folder, rows))
        for index, (run, shown) in enumerate(views):
            sections += _failures(run, shown, folder / f'failures_{index}.png')
    except Exception as error:  # the figures are worth a report without them
        sections.append(Section('Pictures', f'They could not be made: {one_line(error)}'))
    return sections


def _views(
    evaluation: Evaluation, set_name: str, size: int | None
) -> list[tuple[RunResult, Shown]]:
    """The first run of each label that has a network, and how it is shown: all on one set."""
    views = []
    for runs in evaluation.labels.values():
        for run in runs:
            shown = run.shown
            if run.classifier and set_name in run.predictions:
                shown = shown_world(run.data, run.classifier.cpu(), set_name, size=size)
            if shown:
                views.append((run, shown))
                break
    return [one for one in views if one[1].set_name == views[0][1].set_name]


def overlay(image: Picture, heat: NDArray[np.float32]) -> Picture:
    """Heat (H, W) in [0, 1] over an RGB picture (H, W, 3)."""
    values = np.rint(255 * np.clip(heat, 0, 1)).astype(np.uint8)
    colours = cv2.applyColorMap(values, cv2.COLORMAP_INFERNO)[..., ::-1]
    return np.rint((1 - _HEAT) * image + _HEAT * colours).astype(np.uint8)


def _heat_section(views: Sequence[tuple[RunResult, Shown]], folder: Path, rows: int) -> Section:
    run, shown = views[0]
    answers = run.predictions[shown.set_name]
    files, images, labels = shown.some(answers, rows)

    titles, columns = ['image'], [list(images.permute(0, 2, 3, 1).numpy()[..., ::-1])]
    captions = [[shown.name(label) for label in labels.tolist()]]
    masks = shown.masks(files)
    if any(mask is not None for mask in masks):
        titles.append('mask')
        columns.append(masks)
        captions.append([''] * len(files))
    for run, shown in views:
        maps, how = heat_maps(shown.classifier.cpu(), images, labels)
        titles.append(f'{run.label}: {how}')
        columns.append(
            [overlay(image, heat.numpy()) for image, heat in zip(columns[0], maps, strict=True)]
        )
        given = _answers(run, shown.set_name)
        by_file = dict(zip(run.predictions[shown.set_name].files, given, strict=True))
        captions.append([
            f'says {shown.name(by_file[file][0])} ({by_file[file][1]:.0%})'
            if file in by_file else ''  # it could not be read then
            for file in files
        ])  # fmt: skip
    sheet = contact_sheet(
        list(zip(*columns, strict=True)), titles,
        captions=list(zip(*captions, strict=True)), cell=_CELL,
    )  # fmt: skip
    path = folder / 'heat_maps.png'
    write_image(path, sheet)
    return Section(
        'Where they look',
        f'Images of {shown.set_name}, evenly chosen, and where each network finds the true class '
        '(attention, which knows no class, for vision transformers). Each map is stretched to '
        'its own maximum. Under the image its class, under the maps the answer.',
        picture=path,
    )


def _failures(
    run: RunResult, shown: Shown, path: Path, count: int = 16, columns: int = 8
) -> list[Section]:
    """The wrong answers given with the highest probability."""
    answers = run.predictions[shown.set_name]
    given = _answers(run, shown.set_name)
    wrong = [i for i, right in enumerate(answers.correct) if not right]
    wrong = sorted(wrong, key=lambda index: -given[index][1])[:count]
    title = f'Hardest failures of {run.label}'
    if not wrong:
        return [Section(title, f'Every image of {shown.set_name} is named right.')]
    files = [answers.files[index] for index in wrong]
    masks = shown.masks(files)
    cells = [
        with_outline(np.ascontiguousarray(image[..., ::-1]), mask, side=_CELL)
        for image, mask in zip(shown.read(files), masks, strict=True)
    ]
    captions = [
        f'{shown.name(answers.labels[index])} taken for {shown.name(given[index][0])} '
        f'({given[index][1]:.0%})'
        for index in wrong
    ]
    starts = range(0, len(cells), columns)
    sheet = contact_sheet(
        [cells[start : start + columns] for start in starts],
        captions=[captions[start : start + columns] for start in starts],
        cell=_CELL,
    )
    write_image(path, sheet)
    text = (
        f'Of {len(answers.files)} images of {shown.set_name}, '
        f'{int((answers.correct == 0).sum())} are named wrong; these are the {len(wrong)} wrong '
        'answers it is surest of'
    )
    outlined = any(mask is not None for mask in masks)
    text += ', with the border of the mask.' if outlined else '.'
    return [Section(title, text, picture=path)]


def _answers(run: RunResult, set_name: str) -> list[tuple[int, float]]:
    """Class and probability by image."""
    answers = run.predictions[set_name]
    if answers.confidence is None:
        raise ValueError(f'{run.label} has answers without probabilities on {set_name}')
    return list(zip(answers.predictions.tolist(), answers.confidence.tolist(), strict=True))
