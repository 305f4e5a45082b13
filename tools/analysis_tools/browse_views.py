#!/usr/bin/env python
"""Show what training recipes make of images: original, mask and every view.

Writes views.png (a contact sheet) and views.html (a page that carries its pictures,
with the drawn parameters as text). Operations that run in the data preprocessor are
shown as the model sees them. Nothing is trained.
"""

from __future__ import annotations

import argparse
import os
import shlex
import sys
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from mmengine.config import DictAction  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.utils import ProgressBar  # noqa: E402

from bgaug_mm.engine.launch_config import LaunchError  # noqa: E402
from bgaug_mm.engine.launch_errors import explain  # noqa: E402
from bgaug_mm.environment import rows as environment_rows  # noqa: E402
from bgaug_mm.files import write_image  # noqa: E402
from bgaug_mm.version import __version__  # noqa: E402
from bgaug_mm.visualization import (  # noqa: E402
    RECIPE_HEAD,
    Recipe,
    SampleViews,
    build_training_dataset,
    find_images,
    has_device_op,
    matched_settings,
    read_recipe,
    sample_views,
    views_page,
    views_sheet,
    with_device_views,
    with_matched_negatives,
)

_BATCH = 16  # samples of a batch, where something is made from a whole batch
_WARM_UP = 64  # samples drawn first, for sources of recent backgrounds


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        'configs', nargs='+', metavar='CONFIG', help='path, or package::path of a shipped one'
    )
    parser.add_argument('--compare', action='store_true', help='all recipes on one sheet')
    parser.add_argument(
        '--out', type=Path, metavar='DIR', help='folder (default: work_dirs/views/CONFIG_NAME)'
    )
    parser.add_argument(
        '--data', metavar='PATH',
        help='data_root of the datasets; where a list of images (ann_file) is missing below it, '
        'the class folders are read instead',
    )  # fmt: skip
    parser.add_argument(
        '--images', metavar='DIR', help='class folders of images, instead of what the config reads'
    )
    parser.add_argument(
        '--masks', metavar='DIR', help='their masks (default: _masks behind the name of --images)'
    )
    parser.add_argument('--num', type=int, default=8, help='images, evenly over the dataset')
    parser.add_argument('--indices', type=int, nargs='+', metavar='I', help='these images instead')
    parser.add_argument('--epochs', type=int, default=1, help='how often the views are drawn')
    parser.add_argument('--seed', type=int, default=0, help='seed of the views')
    parser.add_argument(
        '--op-prob', type=float, metavar='P',
        help='probability of all background operations, for looking at them (noted on the page)',
    )  # fmt: skip
    parser.add_argument(
        '--progress', type=float, default=0.0, metavar='SHARE',
        help='share of the training that is done, for probabilities that change (default 0)',
    )  # fmt: skip
    parser.add_argument('--cell', type=int, default=144, help='pixels of an image on the sheet')
    parser.add_argument('--no-outline', action='store_true', help='no mask outlines on the sheet')
    parser.add_argument(
        '--cfg-options', nargs='+', action=DictAction, default={}, metavar='KEY=VALUE',
        help='changes to all configs',
    )  # fmt: skip
    parser.add_argument('--debug', action='store_true', help='show tracebacks of all errors')
    args = parser.parse_args(argv)
    for name, least in (('num', 1), ('epochs', 1), ('cell', 32), ('seed', 0)):
        if getattr(args, name) < least:
            parser.error(f'--{name} must be at least {least}, but got {getattr(args, name)}')
    for option, share in (('op-prob', args.op_prob), ('progress', args.progress)):
        if share is not None and not 0 <= share <= 1:
            parser.error(f'--{option} must be in [0, 1], but got {share}')
    if args.images and args.data:
        parser.error('--images and --data exclude each other')
    if args.masks and not args.images:
        parser.error('--masks goes with --images')
    return args


def recipe_names(configs: Sequence[str]) -> list[str]:
    """File names without ending, with the folder's where these are not unique."""
    paths = [Path(config.rpartition('::')[2]).with_suffix('') for config in configs]
    short = [path.name for path in paths]
    names = [
        f'{path.parent.name}/{path.name}' if short.count(path.name) > 1 else path.name
        for path in paths
    ]
    if len({*names}) < len(names):
        raise LaunchError(f'configs of one name cannot be told apart: {" ".join(configs)}')
    return names


def choose(length: int, args: argparse.Namespace) -> list[int]:
    """Indices of the images to show."""
    if args.indices is None:
        count = min(args.num, length)
        return [i * length // count for i in range(count)]
    wrong = [i for i in args.indices if not -length <= i < length]
    if wrong:
        raise LaunchError(
            f'--indices {" ".join(map(str, wrong))}: the dataset has {length} images, 0 to '
            f'{length - 1}'
        )
    return [i % length for i in args.indices]


def draw(
    recipe: Recipe, dataset: Any, indices: Sequence[int], args: argparse.Namespace
) -> list[SampleViews]:
    """The views of a recipe."""
    config = recipe.config
    batch = list(indices)
    if has_device_op(config) or matched_settings(config):  # the rest of the batch takes part
        size = min(_BATCH, len(dataset))
        spread = (i * len(dataset) // size for i in range(size))
        batch += [i for i in spread if i not in batch][: max(0, size - len(batch))]
    print(f'{recipe.name}: {len(batch)} images', file=sys.stderr)
    advance: Callable[[], object] = lambda: None  # noqa: E731
    if sys.stderr.isatty():
        total = args.epochs * (len(batch) + min(_WARM_UP, len(dataset)))
        advance = ProgressBar(total, file=sys.stderr).update
    samples = sample_views(
        dataset,
        batch,
        epochs=args.epochs,
        seed=args.seed,
        progress=args.progress,
        warm_up=_WARM_UP,
        advance=advance,
    )
    if sys.stderr.isatty():
        print(file=sys.stderr)
    samples = with_device_views(config, samples, seed=args.seed, progress=args.progress)
    return with_matched_negatives(config, samples)[: len(indices)]


def versions() -> str:
    found = [f'{row.name} {row.found}' for row in environment_rows() if row.found]
    return ', '.join([f'bgaug_mm {__version__}', *found])


def write(
    out: Path,
    drawn: Sequence[tuple[Recipe, list[SampleViews]]],
    indices: Sequence[int],
    args: argparse.Namespace,
    command: str,
) -> None:
    """The sheet and the page."""
    names = [
        f'{i}: {"/".join(Path(sample.path).parts[-2:])}'
        for i, sample in zip(indices, drawn[0][1], strict=True)
    ]
    views = [view for _, samples in drawn for sample in samples for view in sample.views]
    views = [view for view in views if view.role == 'view']
    changed = sum(view.background_op is not None for view in views)
    notes = [
        f'{len(names)} images with all their views. An orange frame marks the views whose '
        f'background was changed ({changed} of {len(views)}).'
    ]
    if args.op_prob is not None:
        notes.append(
            f'The probability of the background operations was forced to {args.op_prob:g} to '
            'have something to look at; training uses that of the table.'
        )
    without = dict.fromkeys(path for recipe, _ in drawn for path in recipe.without_list)
    if without:
        notes.append(
            f'{", ".join(without)} does not exist: the images were taken from the class folders.'
        )
    options = ' '.join(f'{key}={value}' for key, value in args.cfg_options.items())
    settings = {
        'data': args.images or args.data or 'as the config says',
        'seed': str(args.seed),
        'epochs drawn': str(args.epochs),
        'progress of the training': f'{args.progress:.0%}',
        'changes to the config': options or 'none',
        'versions': versions(),
        'command': command,
    }
    sheet = views_sheet(
        {recipe.heading: samples for recipe, samples in drawn},
        names,
        cell=args.cell,
        outline=not args.no_outline,
    )
    write_image(out / 'views.png', sheet)
    views_page(
        out / 'views.html',
        'Views of ' + ', '.join(recipe.name for recipe, _ in drawn),
        {recipe.name: samples for recipe, samples in drawn},
        names,
        notes=notes,
        table=[RECIPE_HEAD, *(recipe.row for recipe, _ in drawn)],
        settings=settings,
    )
    print(out / 'views.png', out / 'views.html', sep='\n')


def browse(args: argparse.Namespace, command: str) -> None:
    names = recipe_names(args.configs)
    recipes = [  # all of them first: errors come before any work
        read_recipe(
            path,
            name,
            data=args.data,
            images=args.images,
            masks=args.masks,
            options=args.cfg_options,
            op_prob=args.op_prob,
        )
        for name, path in zip(names, args.configs, strict=True)
    ]
    indices: list[int] = []
    drawn: list[tuple[Recipe, list[SampleViews]]] = []
    for recipe in recipes:
        try:
            init_default_scope(recipe.config.get('default_scope', 'mmengine'))
            dataset = build_training_dataset(recipe.config)
            if args.compare and drawn:
                paths = [sample.path for sample in drawn[0][1]]
                samples = draw(recipe, dataset, find_images(dataset, paths, indices), args)
            else:
                indices = choose(len(dataset), args)
                samples = draw(recipe, dataset, indices, args)
        except ValueError as error:
            raise LaunchError(f'{recipe.path}: {error}') from error
        if args.compare:
            drawn.append((recipe, samples))
            continue
        out = args.out or Path('work_dirs/views')
        out = out if args.out and len(recipes) == 1 else out / recipe.name
        write(out, [(recipe, samples)], indices, args, command)
    if args.compare:
        write(args.out or Path('work_dirs/views/compare'), drawn, indices, args, command)


def main(argv: Sequence[str] | None = None) -> int:
    argv = list(sys.argv[1:] if argv is None else argv)
    args = parse_args(argv)
    try:
        browse(args, shlex.join(['python', 'tools/analysis_tools/browse_views.py', *argv]))
    except Exception as error:
        message = explain(error)
        if message is None or args.debug or os.environ.get('BGAUG_DEBUG', '0') != '0':
            raise
        print(f'error: {message}', file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    warnings.filterwarnings('ignore', module='mmcv')  # about options nobody here set
    sys.exit(main())
