"""A picture of some scenes with their boxes and masks, for the eye."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageColor, ImageDraw, ImageFont

from bgaug_mm.visualization import contact_sheet
from bgaug_mm.visualization.bar_chart import COLOURS
from bgaug_mm.visualization.mask_outline import mask_contours

from .scenes import Scene
from .voc_layout import DIFFICULT_BELOW

_CELL = 224  # pixels


def annotated_picture(
    scene: Scene, classes: Sequence[str], *, side: int = _CELL
) -> NDArray[np.uint8]:
    """A scene with its masks' outlines, boxes and names, a colour a class.

    A name in brackets is that of an object that VOC's files mark difficult.

    Args:
        scene: The image and its objects.
        classes: Names of its labels.
        side: Longer side of the result in pixels. Defaults to 224.

    Returns:
        NDArray[np.uint8]: (side, side, 3) RGB, a new array.
    """
    factor = side / scene.image.shape[0]
    shown = cv2.resize(scene.image, (side, side), interpolation=cv2.INTER_NEAREST)
    for item in scene.objects:
        colour = ImageColor.getrgb(COLOURS[item.label % len(COLOURS)])
        for line in mask_contours(item.mask.astype(np.uint8) * 255, side=side):
            points = np.rint(line * factor - 0.5).astype(np.int32)
            cv2.polylines(shown, [points], True, colour, 2)
    picture = Image.fromarray(shown)
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(size=13)
    for item in scene.objects:
        colour = ImageColor.getrgb(COLOURS[item.label % len(COLOURS)])
        box = [factor * edge for edge in item.box]
        draw.rectangle((box[0], box[1], box[2] - 1, box[3] - 1), outline=colour)
        name = classes[item.label]
        name = f'({name})' if item.visible < DIFFICULT_BELOW else name
        at = (min(box[0], side - font.getlength(name) - 4), max(box[1] - 16, 0))
        back = draw.textbbox(at, name, font=font)
        draw.rectangle((back[0] - 2, back[1] - 1, back[2] + 2, back[3] + 1), fill=colour)
        draw.text(at, name, fill='white', font=font)
    return np.asarray(picture, np.uint8)


def samples_sheet(rows: Sequence[tuple[str, Sequence[Scene]]], classes: Sequence[str]) -> bytes:
    """Scenes in rows with a caption each, as PNG."""
    pictures = [[annotated_picture(scene, classes) for scene in scenes] for _, scenes in rows]
    captions = [[caption] for caption, _ in rows]
    buffer = BytesIO()
    sheet = contact_sheet(pictures, captions=captions, cell=_CELL)
    Image.fromarray(sheet).save(buffer, 'PNG')
    return buffer.getvalue()
