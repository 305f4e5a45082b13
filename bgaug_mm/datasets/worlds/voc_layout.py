"""Scenes as PASCAL VOC's annotation files."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Sequence

from .scenes import Scene
from .writing import WorldFile

#: An object of which less is visible is marked difficult: training leaves it out, and the
#: evaluation counts it neither as found nor as missed.
DIFFICULT_BELOW = 0.5


def voc_annotation(
    scene: Scene, classes: Sequence[str], *, name: str, folder: str, database: str
) -> WorldFile:
    """``<folder>/Annotations/<name>.xml``.

    Boxes are VOC's: the first and the last pixel of what is visible, counted from 1.

    Args:
        scene: The image and its objects.
        classes: Names of the scene's labels.
        name: Of the image, without suffix.
        folder: The set's folder, such as VOC2007.
        database: What the images are from.
    """
    height, width, depth = scene.image.shape
    root = ET.Element('annotation')
    _texts(root, folder=folder, filename=f'{name}.jpg')
    _texts(ET.SubElement(root, 'source'), database=database)
    _texts(ET.SubElement(root, 'size'), width=width, height=height, depth=depth)
    _texts(root, segmented=0)
    for item in scene.objects:
        node = ET.SubElement(root, 'object')
        difficult = int(item.visible < DIFFICULT_BELOW)
        _texts(node, name=classes[item.label], pose='Unspecified', truncated=0, difficult=difficult)
        left, top, right, bottom = item.box
        box = ET.SubElement(node, 'bndbox')
        _texts(box, xmin=left + 1, ymin=top + 1, xmax=right, ymax=bottom)
    ET.indent(root)
    return WorldFile(f'{folder}/Annotations/{name}.xml', ET.tostring(root) + b'\n')


def _texts(parent: ET.Element, **texts: object) -> None:
    for tag, text in texts.items():
        ET.SubElement(parent, tag).text = str(text)
