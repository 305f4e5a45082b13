"""The command line that the makers of worlds share."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from bgaug_mm.saliency.progress import Progress

from .composing import Triplet, WorldSource, compose_world, count_images, paired_background
from .samples import with_samples
from .writing import Item, WorldFile, write_world


def correlation(text: str) -> float | None:
    """``--rho``: a number, or None for "uniform"."""
    return None if text == 'uniform' else float(text)


def add_world_options(
    parser: argparse.ArgumentParser, *, per_class: int, test_per_class: int
) -> None:
    """Add ``out`` and the options of :func:`make_world`, with these defaults."""
    parser.add_argument('out', help='folder of the world, made here')
    parser.add_argument('--size', type=int, default=48, help='side of the images (default 48)')
    parser.add_argument(
        '--per-class',
        type=int,
        default=per_class,
        help=f'training images a class (default {per_class})',
    )
    parser.add_argument(
        '--test-per-class',
        type=int,
        default=test_per_class,
        help=f'images a class in each test set (default {test_per_class})',
    )
    parser.add_argument(
        '--rho',
        type=correlation,
        default=0.9,
        help='class-background correlation in [0, 1], or "uniform": every background equally '
        'often, for a control (default 0.9)',
    )
    parser.add_argument(
        '--seed', type=int, default=0, help='all draws, and which background a class goes with'
    )
    parser.add_argument('--overwrite', action='store_true', help='replace another world there')


def make_world(
    maker: str,
    args: argparse.Namespace,
    source: Callable[[], WorldSource],
    *,
    recorded: Callable[[Any], Mapping[str, Any]] = lambda source: {},
    noted: Callable[[Any], Mapping[str, Any]] = lambda source: {},
    challenge: bool = False,
) -> None:
    """Write a world and say so; bad input ends the program with one line.

    Args:
        maker: The tool's name.
        args: What :func:`add_world_options` parsed.
        source: Builds the source of objects and backgrounds.
        recorded: Further options for the manifest, from the source. A world with
            other ones is another world.
        noted: Further entries of the manifest, from the source.
        challenge: Also make ``no_fg``, ``adversarial`` and ``samples.png``.
    """
    with one_line(maker, args.out):
        if args.size < 16:
            raise ValueError(f'`--size` must be at least 16, but got {args.size}')
        if args.seed < 0:
            raise ValueError(f'`--seed` must be at least 0, but got {args.seed}')
        material = source()
        amounts = {'per_class': args.per_class, 'test_per_class': args.test_per_class}
        options = {
            'seed': args.seed,
            'rho': 1 / len(material.backgrounds) if args.rho is None else args.rho,
            **amounts,
        }
        pairing = {
            name: material.backgrounds[paired_background(material, label, args.seed)]
            for label, name in enumerate(material.classes)
        }
        composed = compose_world(material, challenge=challenge, **options)
        items = with_samples(composed) if challenge else composed
        write_world_and_say(
            args.out,
            shown(items, count_images(material, challenge=challenge, **amounts)),
            maker=maker,
            args={'size': args.size, **options, **recorded(material)},
            notes={'pairing': pairing, **noted(material)},
            overwrite=args.overwrite,
        )


@contextmanager
def one_line(maker: str, out: str) -> Iterator[None]:
    """End the program with one line on bad input and on an interruption."""
    try:
        yield
    except (ValueError, OSError) as error:
        sys.exit(f'{maker}: {error}')
    except KeyboardInterrupt:
        sys.exit(f'{maker}: interrupted; nothing was written to {out}')


def write_world_and_say(out: str, items: Iterable[Item], **options: Any) -> bool:
    """:func:`write_world`, and a line that says how long it took or that it was there."""
    start = time.perf_counter()
    written = write_world(out, items, **options)
    seconds = time.perf_counter() - start
    print(f'{out}: ' + (f'made in {seconds:.1f} s' if written else 'already there'))
    return written


def shown(items: Iterable[Item], total: int) -> Iterator[Item]:
    """The items, with a bar that counts the images."""
    progress = Progress(total, name='images', unit='images')
    for item in items:
        yield item
        image = item.pixels is not None if isinstance(item, WorldFile) else True
        progress.advance(image and not isinstance(item, Triplet))
    progress.close()
