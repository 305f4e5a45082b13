"""Tiny trees in the layouts in which the robustness sets are distributed.

Every image is one colour, which tells the class that `colour_classifier` answers: so what is
right is decided by the pictures, and a picture of another class's colour is a mistake.
"""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import torch

#: In ImageNet's order: sorted.
WNIDS = [f'n{10_000_000 + 37 * index:08d}' for index in range(1000)]
IN9_CLASSES = [
    '00_dog', '01_bird', '02_wheeled vehicle', '03_reptile', '04_carnivore', '05_insect',
    '06_musical instrument', '07_primate', '08_fish',
]  # fmt: skip
IN9_SUBSETS = (
    'original', 'mixed_same', 'mixed_rand', 'mixed_next', 'only_fg', 'only_bg_b', 'only_bg_t',
    'no_fg',
)  # fmt: skip


def picture(number: int, size: int = 8) -> np.ndarray:
    """One colour, one decimal digit of the number in each channel."""
    digits = [number // 100 % 10, number // 10 % 10, number % 10]
    return np.full((size, size, 3), [25 * digit + 12 for digit in digits], np.uint8)


def colour_classifier(outputs: int = 1000) -> Callable[[torch.Tensor], torch.Tensor]:
    """Answers with the class that the colour of the middle tells."""

    def classify(images: torch.Tensor) -> torch.Tensor:
        middle = images[:, :, images.shape[2] // 2, images.shape[3] // 2].float()
        digits = ((middle - 12) / 25).round().long().clamp(0, 9)
        number = digits @ torch.tensor([100, 10, 1])
        return torch.nn.functional.one_hot(number % outputs, outputs).float()

    return classify


def write_picture(path: Path, number: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    ending = '.png' if path.suffix == '.png' else '.jpg'
    path.write_bytes(cv2.imencode(ending, picture(number), [1, 100])[1].tobytes())


def imagenet(root: Path, wrong: int = 0) -> None:
    """`train` of empty class folders, and `val`; the first `wrong` classes answer one more."""
    for index, wnid in enumerate(WNIDS):
        (root / 'imagenet/train' / wnid).mkdir(parents=True)
        name = f'ILSVRC2012_val_{1000 - index:08d}.JPEG'
        write_picture(root / 'imagenet/val' / wnid / name, index + (index < wrong))


def imagenet_real(root: Path) -> None:
    """Image i+1 has class 999 - i; labels: it, none, another, or it and another in turn."""
    real = [
        [[999 - i], [], [(1 + i) % 1000 if i != 499 else 0], [5, 999 - i]][i % 4]
        for i in range(1000)
    ]
    (root / 'imagenet/real.json').write_text(json.dumps(real))


def class_folders(folder: Path, names: list[str], numbers: list[int], ending: str) -> None:
    for name, number in zip(names, numbers, strict=True):
        write_picture(folder / name / f'0_{name}{ending}', number)


def imagenet_a(root: Path, folder: str = 'imagenet-a') -> None:
    """Every fifth class; the picture of class 10 looks like class 11, which is none of them."""
    numbers = list(range(0, 1000, 5))
    names = [WNIDS[number] for number in numbers]
    class_folders(root / folder, names, [11 if n == 10 else n for n in numbers], '.jpg')
    readme = 'A test set.\n\nClasses\n' + ''.join(f'{name} a thing\n' for name in names)
    (root / folder / 'README.txt').write_text(readme)


def imagenet_v2(root: Path, folder: str = 'imagenetv2-matched-frequency-format-val') -> None:
    class_folders(root / folder, [str(n) for n in range(1000)], list(range(1000)), '.jpeg')


def imagenet_c(root: Path, corruption: str, wrong: int = 0) -> None:
    """All severities; at severity s the first `wrong * s` classes answer one more."""
    for severity in range(1, 6):
        folder = root / 'imagenet-c' / corruption / str(severity)
        for index, wnid in enumerate(WNIDS):
            name = f'ILSVRC2012_val_{1000 - index:08d}.JPEG'
            write_picture(folder / wnid / name, index + (index < wrong * severity))


def imagenet9(root: Path, label_map: bool = True) -> None:
    """Two images a class and set, of ImageNet's class 10 * label; some in `mixed_rand` wrong."""
    for subset in IN9_SUBSETS:
        for label, name in enumerate(IN9_CLASSES):
            folder = root / 'bg_challenge' / subset / 'val' / name
            write_picture(folder / 'a.JPEG', 10 * label)
            wrong = subset == 'mixed_rand' and label < 3
            write_picture(folder / 'b.JPEG', 500 if wrong else 10 * label + 1)
    if label_map:
        content = {str(n): n // 10 if n < 90 else -1 for n in range(1000)}
        (root / 'bg_challenge/in_to_in9.json').write_text(json.dumps(content))


def objectnet(root: Path) -> None:
    """Chair is ImageNet's 423 or 559, Pen its 418; Spoon bent is none of ImageNet's."""
    base = root / 'objectnet-1.0'
    # the lines of the label file are not in the order of a classifier's outputs
    lines = [f'thing {line}, item' for line in range(1000)]
    line_of = {str(index): (index + 7) % 1000 for index in range(1000)}
    maps = {
        'folder_to_objectnet_label.json': {
            'chair': 'Chair', 'pen': 'Pen', 'spoon_bent': 'Spoon bent',
        },
        'objectnet_to_imagenet_1k.json': {
            'Chair': 'thing 430, item; thing 566, item', 'Pen': 'thing 425, item',
        },
        'pytorch_to_imagenet_2012_id.json': line_of,
    }  # fmt: skip
    (base / 'mappings').mkdir(parents=True)
    for name, content in maps.items():
        (base / 'mappings' / name).write_text(json.dumps(content))
    (base / 'mappings/imagenet_to_label_2012_v2').write_text('\n'.join(lines) + '\n')
    for name, number in (
        ('chair/a', 423), ('chair/b', 559), ('chair/c', 418), ('pen/a', 418),
        ('spoon_bent/a', 0),
    ):  # fmt: skip
        write_picture(base / 'images' / f'{name}.png', number)
