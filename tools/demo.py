#!/usr/bin/env python
"""Pre-train with and without background swapping on a small world, and compare.

Trains two configs, one process each (both at once on two cores or more), measures
how much their features depend on the background, and writes to the work dir:
results.json, views.png, background_gap.png and report.html, and to its folder evaluation
what tools/evaluation/evaluate.py writes. What is done is skipped
when the command is repeated; an interrupted training goes on from its last epoch.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import time
import warnings
from collections.abc import Collection
from pathlib import Path
from typing import Any

STARTED = time.time()
ROOT = Path(__file__).resolve().parent.parent
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from mmengine.config import Config, DictAction  # noqa: E402

from bgaug_mm.compat import CheckpointError  # noqa: E402
from bgaug_mm.engine.launch_config import (  # noqa: E402
    LaunchError,
    load_config,
    merge_options,
    set_data_root,
)
from bgaug_mm.engine.training_progress import follow  # noqa: E402
from bgaug_mm.engine.training_run import TrainingRun, train_command  # noqa: E402
from bgaug_mm.evaluation import (  # noqa: E402
    build_frozen_backbone,
    list_world,
    load_frozen_backbone,
)
from bgaug_mm.evaluation.suite.options import SuiteOptions  # noqa: E402
from bgaug_mm.evaluation.suite.pictures import pictures  # noqa: E402
from bgaug_mm.evaluation.suite.report import write_markdown, write_report, write_scores  # noqa: E402
from bgaug_mm.evaluation.suite.results import Evaluation, read_runs  # noqa: E402
from bgaug_mm.evaluation.suite.table import score_rows, text_table  # noqa: E402
from bgaug_mm.evaluation.suite.world import evaluate_world  # noqa: E402
from bgaug_mm.files import write_image, write_json  # noqa: E402
from bgaug_mm.visualization import (  # noqa: E402
    Section,
    build_training_dataset,
    contact_sheet,
    sample_views,
)

OPENING = (
    'Two networks were trained without labels on the same small images, in which most objects of '
    'a class stand on the same kind of background. One saw views whose background was exchanged '
    'at times. A shortcut-sensitivity test on composites, not ImageNet-9, from one run each. '
    'Accuracies of probes on frozen features, in percent.'
)


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        '--data', help='folder of a world (default: data/digits_on_photos, made if missing)'
    )
    parser.add_argument('--work-dir', type=Path, default=Path('work_dirs/demo'))
    parser.add_argument(
        '--plain', default=str(ROOT / 'configs/demo/simclr_digits.py'), help='config without'
    )
    parser.add_argument(
        '--bgswap',
        default=str(ROOT / 'configs/demo/simclr_bgswap_digits.py'),
        help='config with background swapping',
    )
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE', help='changes to both configs'
    )
    parser.add_argument(
        '--jobs', type=int, help='trainings at once (default: 2, or 1 on a single core)'
    )
    parser.add_argument(
        '--started',
        type=float,
        default=STARTED,
        help='when the command began, in seconds since 1970, for the time to the first step',
    )
    return parser.parse_args(argv)


def digest(*parts: Any) -> str:
    """Short fingerprint of json values."""
    text = json.dumps(parts, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:10]


def world_fingerprint(root: Path) -> Any:
    """What a world holds: its manifest, or names and sizes of its files."""
    manifest = root / 'manifest.json'
    if manifest.is_file():
        return manifest.read_text(encoding='utf-8')
    files = (path for path in sorted(root.rglob('*')) if path.is_file())
    return [(str(path.relative_to(root)), path.stat().st_size) for path in files]


def cores() -> int:
    """Cores this process may use."""
    if hasattr(os, 'sched_getaffinity'):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def train(
    configs: dict[str, str], folders: dict[str, Path], epochs: dict[str, int],
    data: Path, args: argparse.Namespace, pictures: Any,
) -> None:  # fmt: skip
    """Train what is not trained yet; `pictures` is called while the first steps run."""
    jobs = args.jobs or (2 if cores() > 1 else 1)
    runs = {}
    for name, folder in folders.items():
        if (folder / 'done').is_file():
            print(f'{name}: trained already, {folder}')
            continue
        options = ['--data', str(data), '--work-dir', str(folder)]
        if (folder / 'last_checkpoint').is_file():
            print(f'{name}: goes on from its last checkpoint in {folder}')
            options.append('--resume')
        if args.cfg_options:
            options += ['--cfg-options', *args.cfg_options]
        runs[name] = TrainingRun(
            train_command(ROOT / 'tools/train.py', Path(configs[name]), *options),
            log=folder / 'train.log',
            epochs=epochs[name],
            env={'OMP_NUM_THREADS': str(max(1, cores() // jobs))},
        )
    if runs:
        follow(runs, jobs=jobs, started=args.started, meanwhile=pictures)
    else:
        pictures()
    for folder in folders.values():
        (folder / 'done').touch()


def last_checkpoint(folder: Path) -> Path:
    """The checkpoint mmengine named last; also when the folder was moved."""
    name = (folder / 'last_checkpoint').read_text(encoding='utf-8').strip()
    return folder / Path(name).name


def make_views(configs: dict[str, Config], path: Path, rows: int = 8) -> None:
    """A sheet of originals, masks, plain views and views with swapped backgrounds."""
    plain, swapped = (build_training_dataset(configs[name]) for name in ('plain', 'bgswap'))
    indices = [row * len(swapped) // rows for row in range(rows)]
    treated = sample_views(swapped, indices, epochs=2)
    untreated = sample_views(plain, indices, warm_up=0)
    sheet = contact_sheet(
        [
            [
                sample.original,
                *([] if sample.mask is None else [sample.mask]),
                *(view.image for view in [*other.views[:2], *sample.views[:4]]),
            ]
            for sample, other in zip(treated, untreated, strict=True)
        ],
        ['image', 'mask', *['plain view'] * 2, *['view with BackgroundSwap'] * 4],
        cell=112,
    )
    write_image(path, sheet)


def evaluate(configs: dict[str, Config], folders: dict[str, Path], data: Path) -> Evaluation:
    """The small suite on both trainings, and on an untrained backbone as a control."""
    options = SuiteOptions(parts=('structure', 'heat'), probed=64, distorted=128)
    backbones = {'random init': ('random weights', build_frozen_backbone(configs['plain'], seed=0))}
    for name, folder in folders.items():
        file = last_checkpoint(folder)
        backbones[name] = (str(file), load_frozen_backbone(file, configs[name]))
    print('Evaluating:', end='', flush=True)
    runs = []
    for name, (source, backbone) in backbones.items():
        print(f' {name}', end='', flush=True)
        runs.append(evaluate_world(backbone, data, label=name, checkpoint=source, options=options))
    print()
    return Evaluation(suite='mini', runs=runs, base='plain')


def write_results(
    work_dir: Path, evaluation: Evaluation, names: Collection[str], settings: dict[str, str]
) -> None:
    """The figures alone, the evaluation with all there is to it, charts and the page."""
    means = {run.label: run.means for run in evaluation.runs}
    write_json(work_dir / 'results.json', {name: means[name] for name in names})
    write_scores(evaluation, work_dir / 'background_gap.json', work_dir / 'background_gap.png')
    evaluation.settings.update(settings)
    evaluation.save(work_dir / 'evaluation')
    write_markdown(work_dir / 'evaluation/results.md', evaluation, OPENING)
    write_report(
        work_dir / 'report.html',
        evaluation,
        OPENING,
        title='Pre-training with and without background swapping',
        pictures=[
            *pictures(evaluation, work_dir),
            Section(
                'What the networks saw',
                'Image, its mask, and views as they enter training.',
                picture=work_dir / 'views.png',
            ),
        ],
    )


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    data = Path(args.data or 'data/digits_on_photos')
    if args.data is None and not (data / 'manifest.json').is_file():
        maker = ROOT / 'tools/dataset_converters/make_digits_on_photos.py'
        subprocess.run([sys.executable, str(maker), str(data)], check=True)
    list_world(data)

    names = {'plain': args.plain, 'bgswap': args.bgswap}
    options: dict[str, Any] = {}
    if args.cfg_options:
        parser = argparse.ArgumentParser()
        parser.add_argument('--cfg-options', nargs='+', action=DictAction)
        options = parser.parse_args(['--cfg-options', *args.cfg_options]).cfg_options
    configs, folders = {}, {}
    world = world_fingerprint(data)
    for name, config_path in names.items():
        config = load_config(config_path)
        merge_options(config, options)
        # before the data's place goes in: a moved world is the same world
        folders[name] = args.work_dir / f'{name}-{digest(config.to_dict(), world)}'
        set_data_root(config, str(data))
        configs[name] = config

    work_dir: Path = args.work_dir
    stamp, key = work_dir / 'done', digest([str(folder) for folder in folders.values()])
    if not (stamp.is_file() and stamp.read_text() == key):
        train(
            names,
            folders,
            {name: config.train_cfg.max_epochs for name, config in configs.items()},
            data,
            args,
            lambda: make_views(configs, work_dir / 'views.png'),
        )
        settings = {
            'World': f'{data}, {len(list_world(data)["train"].files)} training images',
            **{name: f'{names[name]}, {folders[name]}' for name in names},
            'Changed': ' '.join(args.cfg_options) or 'nothing',
        }
        write_results(work_dir, evaluate(configs, folders, data), names, settings)
        stamp.write_text(key)
    else:
        print(f'All done before; {stamp} says so, delete it to evaluate again.')
    evaluated = Evaluation(suite='mini', runs=read_runs(work_dir / 'evaluation/results.json'))
    print(
        '\nPercent, linear probe unless named otherwise; 95 % intervals over the test images of '
        f'this one run:\n\n{text_table(score_rows(evaluated))}\n'
    )
    for file in ('results.json', 'views.png', 'background_gap.png', 'report.html'):
        print(work_dir / file)
    print(f'{time.time() - args.started:.0f} s in all')


if __name__ == '__main__':
    warnings.filterwarnings('ignore', module='mmcv')  # about options nobody here set
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that trainings end as well
    try:
        main()
    except (ValueError, OSError, LaunchError, CheckpointError, RuntimeError) as error:
        sys.exit(f'demo: {error}')
    except subprocess.CalledProcessError as error:
        sys.exit(error.returncode)
    except KeyboardInterrupt:
        sys.exit('demo: interrupted; the same command goes on from here')
