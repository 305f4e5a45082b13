"""A detection set: scenes once as images, their objects in COCO's and in VOC's layout."""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import BytesIO, StringIO

from PIL import Image

from .coco_layout import CocoAnnotations
from .composing import Fold, WorldSource
from .samples import SAMPLES
from .scene_samples import samples_sheet
from .scenes import Scene, SceneOptions, compose_scene
from .voc_layout import DIFFICULT_BELOW, voc_annotation
from .writing import WorldFile

VOC = 'VOC2007'
#: Where the images are, for both layouts.
IMAGES = f'{VOC}/JPEGImages'
#: How many objects of which size every set has.
COUNTS = 'objects.csv'
SIZES = ('small', 'medium', 'large')
_SHOWN, _ROWS = 6, 2  # scenes in a row of samples.png, rows a set
_QUALITY = 95


@dataclass(frozen=True)
class DetectionSet:
    """One set: its names in both layouts, its fold and its scenes."""

    coco: str  # annotations/instances_<coco>.json
    voc: str  # VOC2007/ImageSets/Main/<voc>.txt
    fold: Fold
    images: int
    options: SceneOptions


def size_name(area: int) -> str:
    """COCO's bracket: small below 32² pixels of mask, large from 96² on."""
    return SIZES[(area >= 32**2) + (area >= 96**2)]


def detection_files(
    source: WorldSource, sets: Sequence[DetectionSet], *, database: str
) -> Iterator[WorldFile]:
    """Compose the sets and write them as files, the images one by one.

    Yields ``VOC2007/JPEGImages/<number>.jpg`` with ``VOC2007/Annotations/<number>.xml``;
    behind a set's images ``VOC2007/ImageSets/Main/<set>.txt`` and
    ``annotations/instances_<set>.json``; at last ``objects.csv`` and ``samples.png``.

    Args:
        source: Objects and backgrounds.
        sets: At least one. Numbers of files count through all of them.
        database: What the annotation files call the whole.
    """
    number = 0
    shown: list[tuple[str, list[Scene]]] = []
    counts: dict[str, Mapping[tuple[str, str], int]] = {}
    classes: list[str] = []
    for part in sets:
        classes = [source.classes[label] for label in part.options.labels]
        coco = CocoAnnotations(classes, source.backgrounds, description=f'{database}, {part.coco}')
        names, first = [], []
        own: Counter[tuple[str, str]] = Counter()
        for index in range(part.images):
            number += 1
            name = f'{number:06d}'
            scene = compose_scene(source, part.fold, index, part.options)
            yield _image(scene, f'{IMAGES}/{name}.jpg')
            yield voc_annotation(scene, classes, name=name, folder=VOC, database=database)
            coco.add(scene, f'{name}.jpg')
            names.append(name)
            if index < _SHOWN * _ROWS:
                first.append(scene)
            for item in scene.objects:
                own[classes[item.label], size_name(item.area)] += 1
                own[classes[item.label], 'difficult'] += item.visible < DIFFICULT_BELOW
        lines = ''.join(f'{name}\n' for name in names)
        yield WorldFile(f'{VOC}/ImageSets/Main/{part.voc}.txt', lines.encode())
        yield coco.file(f'annotations/instances_{part.coco}.json')
        counts[part.coco] = own
        for start in range(0, len(first), _SHOWN):
            shown.append((part.coco, first[start : start + _SHOWN]))
    yield WorldFile(COUNTS, _count_table(counts, classes))
    yield WorldFile(SAMPLES, samples_sheet(shown, classes))


def _image(scene: Scene, path: str) -> WorldFile:
    buffer = BytesIO()
    Image.fromarray(scene.image).save(buffer, 'JPEG', quality=_QUALITY)
    return WorldFile(path, buffer.getvalue(), scene.image)


def _count_table(
    counts: Mapping[str, Mapping[tuple[str, str], int]], classes: Sequence[str]
) -> bytes:
    columns = (*SIZES, 'difficult')
    text = StringIO()
    writer = csv.writer(text, lineterminator='\n')
    writer.writerow(('set', 'class', *columns))
    for set_name, own in counts.items():
        for name in classes:
            writer.writerow((set_name, name, *(own.get((name, key), 0) for key in columns)))
    return text.getvalue().encode()
