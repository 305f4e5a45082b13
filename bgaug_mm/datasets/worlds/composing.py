"""Objects and backgrounds into a world of image sets, as in ImageNet-9.

The sets follow Xiao et al., "Noise or Signal: The Role of Image Backgrounds in
Object Recognition" (ICLR 2021, section 2): the same objects appear on their
original background, on another one of the same class (``mixed_same``), of a
random class (``mixed_rand``), of the next class (``mixed_next``), alone
(``only_fg``) and taken away (``only_bg``). Two more on request: the object's
silhouette, cut out black (``no_fg``), and every object on every background class
(``adversarial``; the paper's adversarial backgrounds try every background
image). Where we depart: everything is composed from cut-outs, so the masks and
the plates are exact, and the correlation of class and background is an option.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Fold = Literal['train', 'test']

#: The sets of a world. All but ``train`` hold the test fold, and hold the same
#: object under the same file name.
SETS = ('train', 'original', 'mixed_same', 'mixed_rand', 'mixed_next', 'only_fg', 'only_bg')
#: The sets that are composed on request.
CHALLENGE_SETS = ('no_fg', 'adversarial')
#: One further set: the plate of an ``original`` image under an object of another
#: class (the negatives of ``triplets.csv``).
OTHER_FG = 'other_fg'

_GREY = 127
# One stream of random numbers per purpose: more test images, or one set more,
# leave every other image as it is.
_STREAMS = ('train_fg', 'train_bg', 'fg', *SETS[1:], OTHER_FG, *CHALLENGE_SETS)


class WorldSource(Protocol):
    """Where a world takes its objects and backgrounds from.

    The two folds must share neither an object's identity nor a piece of
    background.
    """

    classes: Sequence[str]
    backgrounds: Sequence[str]

    def foreground(
        self, rng: np.random.Generator, fold: Fold, label: int
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Draw an object: colours (S, S, 3) RGB and soft mask (S, S), 255 = object."""
        ...

    def background(
        self, rng: np.random.Generator, fold: Fold, background: int
    ) -> NDArray[np.uint8]:
        """Draw a plate (S, S, 3), RGB."""
        ...


@dataclass(frozen=True)
class ComposedImage:
    """One image of a world and its mask."""

    set_name: str
    path: str  # below the set's folder: <class>/<number>.png
    image: NDArray[np.uint8]  # (S, S, 3) RGB
    mask: NDArray[np.uint8]  # (S, S), 255 = object
    background: str  # the plate's class; '' on grey


class Triplet(NamedTuple):
    """Paths below the world: an image, its object elsewhere, its plate under another object."""

    anchor: str
    positive: str
    negative: str


def paired_background(source: WorldSource, label: int, seed: int) -> int:
    """The background a class is correlated with; rotates with the seed."""
    return (label + seed) % len(source.backgrounds)


def composite(
    colour: NDArray[np.uint8], mask: NDArray[np.uint8], plate: NDArray[np.uint8]
) -> NDArray[np.uint8]:
    """``mask * colour + (1 - mask) * plate``, rounded; shapes (S, S, 3), (S, S), (S, S, 3)."""
    share = mask.astype(np.float32)[..., None] / 255
    mixed = share * colour + (1 - share) * plate
    return np.rint(mixed).astype(np.uint8)


def correlated(rng: np.random.Generator, paired: int, total: int, rho: float) -> int:
    """The paired background with probability rho, else one of the others."""
    if rng.random() < rho:
        return paired
    return (paired + int(rng.integers(1, total))) % total


def compose_world(
    source: WorldSource,
    *,
    seed: int = 0,
    rho: float = 0.9,
    per_class: int = 320,
    test_per_class: int = 64,
    challenge: bool = False,
) -> Iterator[ComposedImage | Triplet]:
    """Compose all sets of a world, image by image.

    Args:
        source: Objects and backgrounds.
        seed: Fixes every draw and rotates the pairing of classes and
            backgrounds. Not negative.
        rho: Probability that an image of ``train`` or ``original`` has its
            class' paired background, in [0, 1]; otherwise one of the others,
            uniformly.
        per_class: Images a class in ``train``; at least 1.
        test_per_class: Images a class in each other set; at least 1.
        challenge: Compose ``no_fg`` and ``adversarial`` as well, whose files are named
            ``<class>/<number>__<background class>.png``; the other sets do not change.
            Defaults to False.

    Yields:
        The images of all sets and of ``other_fg``, and the triplets
        (``original`` image, its object in ``mixed_rand``, its very plate under
        an object of another class).

    Raises:
        ValueError: For options out of range, fewer than two classes or
            backgrounds, or names of these that ``adversarial`` cannot bear.
    """
    if not 0 <= rho <= 1:
        raise ValueError(f'`rho` must be in [0, 1], but got {rho}')
    for name, value, least in (
        ('seed', seed, 0),
        ('per_class', per_class, 1),
        ('test_per_class', test_per_class, 1),
        ('number of classes', len(source.classes), 2),
        ('number of backgrounds', len(source.backgrounds), 2),
    ):
        if value < least:
            raise ValueError(f'`{name}` must be at least {least}, but got {value}')

    plates = source.backgrounds
    unclear = [name for name in plates if '__' in f'_{name}'] if challenge else []
    if unclear:
        raise ValueError(
            f'the background class {unclear[0]!r} starts with "_" or holds "__", which separates '
            'object and background in names of files; rename it'
        )

    def stream(purpose: str, label: int, index: int) -> np.random.Generator:
        return np.random.default_rng([seed, _STREAMS.index(purpose), label, index])

    for label, name in enumerate(source.classes):
        paired = paired_background(source, label, seed)
        for index in range(per_class):
            path = f'{name}/{index:05d}.png'
            colour, mask = source.foreground(stream('train_fg', label, index), 'train', label)
            rng = stream('train_bg', label, index)
            kind = correlated(rng, paired, len(plates), rho)
            image = composite(colour, mask, source.background(rng, 'train', kind))
            yield ComposedImage('train', path, image, mask, plates[kind])

        for index in range(test_per_class):
            path = f'{name}/{index:05d}.png'
            colour, mask = source.foreground(stream('fg', label, index), 'test', label)

            rng = stream('original', label, index)
            kind = correlated(rng, paired, len(plates), rho)
            plate = source.background(rng, 'test', kind)
            image = composite(colour, mask, plate)
            yield ComposedImage('original', path, image, mask, plates[kind])
            yield ComposedImage('only_bg', path, plate, np.zeros_like(mask), plates[kind])
            image = composite(colour, mask, np.full_like(plate, _GREY))
            yield ComposedImage('only_fg', path, image, mask, '')
            if challenge:
                image = composite(np.zeros_like(plate), mask, plate)
                yield ComposedImage('no_fg', path, image, mask, plates[kind])

            next_label = (label + 1) % len(source.classes)
            for set_name in ('mixed_same', 'mixed_rand', 'mixed_next'):
                rng = stream(set_name, label, index)
                other_kind = {
                    'mixed_same': paired,
                    'mixed_rand': int(rng.integers(len(plates))),
                    'mixed_next': paired_background(source, next_label, seed),
                }[set_name]
                image = composite(colour, mask, source.background(rng, 'test', other_kind))
                yield ComposedImage(set_name, path, image, mask, plates[other_kind])

            for other_kind in range(len(plates)) if challenge else ():
                other_path = f'{name}/{index:05d}__{plates[other_kind]}.png'
                rng = stream('adversarial', label, index)
                image = composite(colour, mask, source.background(rng, 'test', other_kind))
                yield ComposedImage('adversarial', other_path, image, mask, plates[other_kind])

            rng = stream(OTHER_FG, label, index)
            other = (label + int(rng.integers(1, len(source.classes)))) % len(source.classes)
            colour, mask = source.foreground(stream('fg', other, index), 'test', other)
            other_path = f'{source.classes[other]}/{name}_{index:05d}.png'
            image = composite(colour, mask, plate)
            yield ComposedImage(OTHER_FG, other_path, image, mask, plates[kind])
            yield Triplet(f'original/{path}', f'mixed_rand/{path}', f'{OTHER_FG}/{other_path}')


def count_images(
    source: WorldSource, *, per_class: int, test_per_class: int, challenge: bool = False
) -> int:
    """How many images :func:`compose_world` yields."""
    # all sets but train, and other_fg in its place
    tests = len(SETS) + (1 + len(source.backgrounds) if challenge else 0)
    return len(source.classes) * (per_class + test_per_class * tests)
