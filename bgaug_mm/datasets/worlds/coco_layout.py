"""Scenes as COCO's annotation file."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from .run_lengths import encode_mask
from .scenes import Scene
from .writing import WorldFile


class CocoAnnotations:
    """``instances_*.json`` of one set: boxes and masks of what is visible.

    Boxes are (left, top, width, height) in pixels from the upper left corner, areas
    those of the masks, masks uncompressed run lengths, ``iscrowd`` 0. Every image names
    its ``background``, every annotation the share that is ``visible``: readers ignore
    what they do not know.

    Args:
        classes: Names; their ids count from 1.
        backgrounds: Names.
        description: What ``info`` says.
    """

    def __init__(
        self, classes: Sequence[str], backgrounds: Sequence[str], *, description: str
    ) -> None:
        self._backgrounds = backgrounds
        self._images: list[dict[str, Any]] = []
        self._annotations: list[dict[str, Any]] = []
        self._rest = {
            'info': {'description': description},
            'licenses': [],
            'categories': [{'id': i, 'name': name} for i, name in enumerate(classes, 1)],
        }

    def add(self, scene: Scene, file_name: str) -> None:
        """Add an image and its objects; ids count from 1 in the order of adding."""
        height, width = scene.image.shape[:2]
        image_id = len(self._images) + 1
        self._images.append(
            {
                'id': image_id,
                'file_name': file_name,
                'width': width,
                'height': height,
                'background': self._backgrounds[scene.background],
            }
        )
        for item in scene.objects:
            left, top, right, bottom = item.box
            self._annotations.append(
                {
                    'id': len(self._annotations) + 1,
                    'image_id': image_id,
                    'category_id': item.label + 1,
                    'bbox': [left, top, right - left, bottom - top],
                    'area': item.area,
                    'iscrowd': 0,
                    'visible': round(item.visible, 4),
                    'segmentation': encode_mask(item.mask),
                }
            )

    def file(self, path: str) -> WorldFile:
        """The annotation file."""
        content = {**self._rest, 'images': self._images, 'annotations': self._annotations}
        return WorldFile(path, json.dumps(content).encode())
