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
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from mmengine.config import Config, DictAction  # noqa: E402
from mmengine.registry import init_default_scope  # noqa: E402
from mmengine.utils import ProgressBar  # noqa: E402

from bgaug_mm.engine.launch_config import (  # noqa: E402
    LaunchError,
    check_data,
    load_config,
    merge_options,
    set_data_root,
)
from bgaug_mm.engine.launch_errors import explain  # noqa: E402
from bgaug_mm.environment import rows as environment_rows  # noqa: E402
from bgaug_mm.files import write_image  # noqa: E402
from bgaug_mm.version import __version__  # noqa: E402
from bgaug_mm.visualization import (  # noqa: E402
    SampleViews,
    build_training_dataset,
    force_probability,
    has_device_op,
    operations,
    read_class_folders,
    sample_views,
    views_page,
    views_sheet,
    with_device_views,
)

_BATCH = 16  # samples of a batch whose background operation runs on the device
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
    parser.add_argument('--num', type=int, default=8, help='images, evenly over the dataset')
    parser.add_argument('--indices', type=int, nargs='+', metavar='I', help='these images instead')
    parser.add_argument('--epochs', type=int, default=1, help='how often the views are drawn')
    parser.add_argument('--seed', type=int, default=0, help='seed of the views')
    parser.add_argument(
        '--op-prob', type=float, metavar='P',
        help='probability of all background operations, for looking at them (noted on the page)',
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
    if args.op_prob is not None and not 0 <= args.op_prob <= 1:
        parser.error(f'--op-prob must be in [0, 1], but got {args.op_prob}')
    return args


def recipe_names(configs: Sequence[str]) -> list[str]:
    """File names without ending, with the folder's where these are not unique."""
    paths = [Path(config.rpartition('::')[2]).with_suffix('') for config in configs]
    names = [path.name for path in paths]
    if len({*names}) < len(names):
        names = [f'{path.parent.name}/{path.name}' if path.parent.name else path.name
                 for path in paths]  # fmt: skip
    if len({*names}) < len(names):
        raise LaunchError(f'configs with the same name cannot be told apart: {" ".join(configs)}')
    return names


def base_of(config: Config) -> str:
    """What a config file is built on."""
    bases = Config._get_base_files(config.filename)
    return ', '.join(bases if isinstance(bases, list) else [bases]) or 'nothing'


def prepare(name: str, args: argparse.Namespace) -> tuple[Config, dict[str, str]]:
    """A config ready for building its dataset, and what is to be known about it."""
    config = load_config(name)
    merge_options(config, args.cfg_options)
    if config.get('train_dataloader') is None:
        raise LaunchError(f'{name} has no train_dataloader: there are no views to show')
    facts = {'config': name, 'built on': base_of(config)}
    if args.data is not None:
        set_data_root(config, args.data)
        left_out = read_class_folders(config)
        if left_out:
            facts['list of images'] = f'{", ".join(left_out)} is missing: class folders were read'
    check_data(config, ('train_dataloader',))
    found = operations(config)
    facts['background operation'] = '; '.join(
        dict.fromkeys(f'{op.name}, probability {op.prob}' for op in found)
    ) or 'none'  # fmt: skip
    if has_device_op(config):
        facts['background operation'] += ', in the data preprocessor (a batch at a time)'
    if found and args.op_prob is not None:
        force_probability(config, args.op_prob)
        facts['for these pictures'] = f'the probability was forced to {args.op_prob:g}'
    return config, facts


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


def same_images(dataset: Any, paths: Sequence[str], indices: Sequence[int]) -> list[int]:
    """Indices at which a dataset has the wanted images; at best the same ones."""

    def path(i: int) -> str:
        return str(dataset.get_data_info(i).get('img_path', ''))

    if all(i < len(dataset) and path(i) == wanted
           for i, wanted in zip(indices, paths, strict=True)):  # fmt: skip
        return list(indices)
    places = {path(i): i for i in range(len(dataset))}
    missing = [wanted for wanted in paths if wanted not in places]
    if missing:
        raise LaunchError(
            f'the recipes read different images, {missing[0]} is not in all: name one set with '
            '--data, or leave --compare out'
        )
    return [places[wanted] for wanted in paths]


def draw(
    name: str, config: Config, dataset: Any, indices: Sequence[int], args: argparse.Namespace
) -> list[SampleViews]:
    """The views of a recipe."""
    batch = list(indices)
    if has_device_op(config):  # the others of a batch give their backgrounds
        size = min(_BATCH, len(dataset))
        spread = (i * len(dataset) // size for i in range(size))
        batch += [i for i in spread if i not in batch][: max(0, size - len(batch))]
    total = args.epochs * (len(batch) + min(_WARM_UP, len(dataset)))
    print(name, file=sys.stderr)
    bar = ProgressBar(total, file=sys.stderr)
    samples = sample_views(
        dataset, batch, epochs=args.epochs, seed=args.seed, warm_up=_WARM_UP, advance=bar.update
    )
    print(file=sys.stderr)
    if has_device_op(config):
        samples = with_device_views(config, samples, seed=args.seed)
    return samples[: len(indices)]


def versions() -> str:
    found = [f'{row.name} {row.found}' for row in environment_rows() if row.found]
    return ', '.join([f'bgaug_mm {__version__}', *found])


def write(
    out: Path,
    recipes: dict[str, list[SampleViews]],
    facts: dict[str, dict[str, str]],
    indices: Sequence[int],
    args: argparse.Namespace,
    command: str,
) -> None:
    """The sheet and the page."""
    samples = next(iter(recipes.values()))
    names = [f'{i}: {short(sample.path)}' for i, sample in zip(indices, samples, strict=True)]
    views = [view for each in recipes.values() for sample in each for view in sample.views]
    changed = sum(view.background_op is not None for view in views)
    notes = [
        f'{len(names)} images with all their views. An orange frame marks the views whose '
        f'background was changed ({changed} of {len(views)}).'
    ]
    if any('for these pictures' in known for known in facts.values()):
        notes.append(
            f'The probability of the background operations was forced to {args.op_prob:g} to '
            'have something to look at; training uses the one given below.'
        )
    settings = {
        'data': args.data or 'as the config says',
        'seed': str(args.seed),
        'epochs drawn': str(args.epochs),
        'changes to the config': ' '.join(f'{k}={v}' for k, v in args.cfg_options.items())
        or 'none',
        'versions': versions(),
        'command': command,
    }
    title = 'Views of ' + ', '.join(recipes)
    sheet = views_sheet(recipes, names, cell=args.cell, outline=not args.no_outline)
    write_image(out / 'views.png', sheet)
    views_page(
        out / 'views.html', title, recipes, names, notes=notes,
        facts={**facts, 'Settings': settings},
    )  # fmt: skip
    print(out / 'views.png', out / 'views.html', sep='\n')


def short(path: str) -> str:
    """Class folder and name of an image file."""
    return '/'.join(Path(path).parts[-2:])


def browse(args: argparse.Namespace, command: str) -> None:
    names = recipe_names(args.configs)
    indices: list[int] = []
    paths: list[str] = []
    recipes: dict[str, list[SampleViews]] = {}
    facts: dict[str, dict[str, str]] = {}
    prepared = [prepare(config, args) for config in args.configs]  # errors come first
    for name, (config, known) in zip(names, prepared, strict=True):
        try:
            init_default_scope(config.get('default_scope', 'mmengine'))
            dataset = build_training_dataset(config)
            if not (args.compare and recipes):
                indices = chosen = choose(len(dataset), args)
            else:
                chosen = same_images(dataset, paths, indices)
            samples = draw(name, config, dataset, chosen, args)
        except ValueError as error:
            raise LaunchError(f'{known["config"]}: {error}') from error
        paths = [sample.path for sample in samples]
        recipes[name], facts[name] = samples, known
        if not args.compare:
            out = args.out or Path('work_dirs/views')
            out = out if args.out and len(names) == 1 else out / name
            write(out, {name: samples}, {name: known}, indices, args, command)
    if args.compare:
        write(args.out or Path('work_dirs/views/compare'), recipes, facts, indices, args, command)


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
