"""Pictures of an evaluation: heat maps of the same images, and the surest wrong answers."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
import torch
from numpy.typing import NDArray

from bgaug_mm.files import write_image
from bgaug_mm.visualization import Section, contact_sheet, with_outline

from ..networks.classifier import FrozenClassifier
from ..networks.features import read_image
from ..networks.heat_maps import heat_maps
from .results import Evaluation
from .run_result import FAILURES, RunResult

Picture = NDArray[np.uint8]

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
        evaluation: Runs of the small suite; the first run of each label is shown. Runs read
            from a file have no network and are left out.
        folder: Where the pictures go.
        size: Side the images are resized to. Defaults to None, as they are.
        set_name: The set shown. Defaults to ``'mixed_rand'``.
        rows: Images of the heat maps. Defaults to 8.
        most: Labels shown, at most. Defaults to 4.

    Returns:
        list[Section]: For the page. A picture that fails is a section that says why.
    """
    runs = [
        next((run for run in runs if run.classifier and set_name in run.predictions), None)
        for runs in evaluation.labels.values()
    ]
    shown = [run for run in runs if run][:most]
    sections = []
    first = [run for run in shown if run.data == shown[0].data]
    try:
        if first:
            sections.append(_heat_section(first, folder, set_name, rows, size))
        for index, run in enumerate(shown):
            sections += _failures(run, folder / f'failures_{index}.png', set_name, size)
    except FAILURES as error:
        sections.append(Section('Pictures', f'They could not be made: {error}'))
    return sections


def overlay(image: Picture, heat: NDArray[np.float32]) -> Picture:
    """Heat (H, W) in [0, 1] over an RGB picture (H, W, 3)."""
    values = np.rint(255 * np.clip(heat, 0, 1)).astype(np.uint8)
    colours = cv2.applyColorMap(values, cv2.COLORMAP_INFERNO)[..., ::-1]
    return np.rint((1 - _HEAT) * image + _HEAT * colours).astype(np.uint8)


def _heat_section(
    runs: Sequence[RunResult], folder: Path, set_name: str, rows: int, size: int | None
) -> Section:
    answers = runs[0].predictions[set_name]
    count = min(rows, len(answers.files))
    chosen = [index * len(answers.files) // count for index in range(count)]
    files = [answers.files[index] for index in chosen]
    root = Path(runs[0].data)
    bgr = np.stack([read_image(root / set_name / file, size=size) for file in files])
    images = torch.from_numpy(bgr).permute(0, 3, 1, 2).contiguous()
    labels = torch.from_numpy(answers.labels[chosen])
    names = _classes(root)

    titles, columns = ['image', 'mask'], [list(bgr[..., ::-1]), _masks(root, set_name, files, size)]
    captions = [[names[label] for label in labels], [''] * count]
    for run in runs:
        maps, how = heat_maps(_on_cpu(run), images, labels)
        titles.append(f'{run.label}: {how}')
        columns.append(
            [overlay(image, heat.numpy()) for image, heat in zip(columns[0], maps, strict=True)]
        )
        by_file = dict(zip(run.predictions[set_name].files, _answers(run, set_name), strict=True))
        captions.append(
            [f'says {names[by_file[file][0]]} ({by_file[file][1]:.0%})' for file in files]
        )
    sheet = contact_sheet(
        list(zip(*columns, strict=True)), titles,
        captions=list(zip(*captions, strict=True)), cell=_CELL,
    )  # fmt: skip
    path = folder / 'heat_maps.png'
    write_image(path, sheet)
    return Section(
        'Where they look',
        f'Images of {set_name}, evenly chosen, and where each network finds the true class '
        '(attention, which knows no class, for vision transformers). Each map is stretched to '
        'its own maximum. Under the image its class, under the maps the answer.',
        picture=path,
    )


def _failures(
    run: RunResult, path: Path, set_name: str, size: int | None, count: int = 16, columns: int = 8
) -> list[Section]:
    """The wrong answers given with the highest probability."""
    answers = run.predictions[set_name]
    given = _answers(run, set_name)
    wrong = [i for i, right in enumerate(answers.correct) if not right]
    wrong = sorted(wrong, key=lambda index: -given[index][1])[:count]
    title = f'Hardest failures of {run.label}'
    if not wrong:
        return [Section(title, f'Every image of {set_name} is named right.')]
    root = Path(run.data)
    names = _classes(root)
    files = [answers.files[index] for index in wrong]
    masks = _masks(root, set_name, files, size)
    cells = [
        with_outline(
            np.ascontiguousarray(read_image(root / set_name / file, size=size)[..., ::-1]),
            mask,
            side=_CELL,
        )
        for file, mask in zip(files, masks, strict=True)
    ]
    captions = [
        f'{names[answers.labels[index]]} taken for {names[given[index][0]]} ({given[index][1]:.0%})'
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
        f'Of {len(answers.files)} images of {set_name}, {int((answers.correct == 0).sum())} are '
        f'named wrong; these are the {len(wrong)} wrong answers it is surest of, with the '
        'border of the mask.'
    )
    return [Section(title, text, picture=path)]


def _answers(run: RunResult, set_name: str) -> list[tuple[int, float]]:
    """Class and probability by image."""
    answers = run.predictions[set_name].predictions
    return list(zip(answers.tolist(), run.confidence[set_name].tolist(), strict=True))


def _on_cpu(run: RunResult) -> FrozenClassifier:
    if run.classifier is None:
        raise ValueError(f'{run.label} has no network here')
    return run.classifier.cpu()


def _classes(root: Path) -> list[str]:
    return sorted(entry.name for entry in (root / 'train').iterdir() if entry.is_dir())


def _masks(
    root: Path, set_name: str, files: Sequence[str], size: int | None
) -> list[Picture | None]:
    """(H, W) each; None where there is none."""
    paths = [root / f'{set_name}_masks' / Path(file).with_suffix('.png') for file in files]
    return [read_image(path, size=size)[..., 0] if path.is_file() else None for path in paths]
