#!/usr/bin/env python
"""Train recipes over seeds, probe their frozen features, and print mean and spread.

Each world is one seed: seed i trains on the i-th folder. RUN is LABEL=CONFIG, or
LABEL=CONFIG@EPOCHS to train shorter or longer, with the schedules stretched; changes to
the config stand behind it, as in hvs=CONFIG@12,custom_hooks.1.every_n_iters=2. What is
done is skipped when the command is repeated, and an interrupted training goes on.
Writes OUT_DIR/results.json and prints tables in Markdown: all runs, and the paired
differences to the first.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from mmengine.config import DictAction  # noqa: E402

from bgaug_mm.compat import CheckpointError  # noqa: E402
from bgaug_mm.engine.launch_config import LaunchError, load_config, merge_options  # noqa: E402
from bgaug_mm.engine.stretch import stretch  # noqa: E402
from bgaug_mm.engine.training_progress import follow  # noqa: E402
from bgaug_mm.engine.training_run import TrainingRun, train_command  # noqa: E402
from bgaug_mm.evaluation import (  # noqa: E402
    evaluate_backbone,
    list_world,
    load_frozen_backbone,
)
from bgaug_mm.files import write_bytes, write_json  # noqa: E402
from bgaug_mm.visualization import train_minutes  # noqa: E402

COLUMNS = (
    'original', 'knn_original', 'mixed_rand', 'knn_mixed_rand', 'bg_gap', 'fgpref', 'spread',
    'minutes',
)  # fmt: skip
Scores = dict[str, float | None]


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('runs', nargs='+', metavar='RUN', help='LABEL=CONFIG[@EPOCHS][,KEY=VALUE…]')
    parser.add_argument(
        '--worlds', nargs='+', required=True, metavar='DIR', help='one folder a seed, 0, 1, …'
    )
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/compare_recipes'))
    parser.add_argument('--jobs', type=int, default=1, help='trainings at once (default: 1)')
    parser.add_argument(
        '--columns', nargs='+', default=COLUMNS, help=f'scores to print (default: {COLUMNS})'
    )
    return parser.parse_args(argv)


class Run(NamedTuple):
    """A config, its epochs if they are not its own, and changes to it."""

    config: str
    epochs: int | None
    options: dict[str, Any]


def read_runs(specs: Sequence[str]) -> dict[str, Run]:
    """LABEL=CONFIG[@EPOCHS][,KEY=VALUE…] as label → run; values hold no comma."""
    options = argparse.ArgumentParser(exit_on_error=False)
    options.add_argument('options', nargs='*', action=DictAction)
    runs = {}
    for spec in specs:
        label, _, rest = spec.partition('=')
        rest, *changes = rest.split(',')
        config, _, epochs = rest.partition('@')
        if (
            not label
            or not config
            or (epochs and not (epochs.isdigit() and int(epochs)))
            or not all('=' in change.strip('=') for change in changes)
        ):
            raise ValueError(f'a run must be LABEL=CONFIG[@EPOCHS][,KEY=VALUE…], but got {spec}')
        if label in runs:
            raise ValueError(f'two runs are called {label}')
        values = options.parse_args(changes).options if changes else {}
        runs[label] = Run(config, int(epochs) if epochs else None, values)
    return runs


def train_seed(runs: Mapping[str, Run], world: str, folder: Path, seed: int, jobs: int) -> None:
    """Train what is not trained yet."""
    waiting = {}
    for label, run in runs.items():
        work_dir = folder / label
        config = load_config(run.config)
        if run.options:
            merge_options(config, run.options)
        if run.epochs:
            stretch(config, run.epochs)
        config.randomness = dict(seed=seed)
        # not inside the work dir, where mmengine writes the config it ran
        config_file, text = folder / f'{label}.py', config.pretty_text
        if config_file.is_file() and config_file.read_text(encoding='utf-8') != text:
            raise ValueError(
                f'{work_dir} holds a training of another recipe than {run.config}: take another '
                'label or --out-dir, or delete it'
            )
        write_bytes(config_file, text.encode())
        if (work_dir / f'epoch_{config.train_cfg.max_epochs}.pth').is_file():
            continue
        options = ['--data', world, '--work-dir', str(work_dir)]
        if (work_dir / 'last_checkpoint').is_file():
            options.append('--resume')
        waiting[label] = TrainingRun(
            train_command(ROOT / 'tools/train.py', config_file, *options),
            log=work_dir / 'train.log',
            epochs=config.train_cfg.max_epochs,
            env={'OMP_NUM_THREADS': os.environ.get('OMP_NUM_THREADS', '1')},
        )
    if waiting:
        print(f'Seed {seed}, {world}: {", ".join(waiting)}', flush=True)
        follow(waiting, jobs=jobs, started=time.time())


def evaluate(work_dir: Path, world: str) -> Scores:
    """Scores of a training's last checkpoint."""
    config = load_config(str(work_dir.with_name(f'{work_dir.name}.py')))
    checkpoint = work_dir / f'epoch_{config.train_cfg.max_epochs}.pth'
    backbone = load_frozen_backbone(checkpoint, config)
    scores: Scores = dict(evaluate_backbone(backbone, world))
    scores['minutes'] = train_minutes(work_dir)
    return scores


def mean_and_spread(values: Sequence[float | None]) -> str:
    """Mean ± standard deviation (of the sample); no spread for a single value."""
    known = [value for value in values if value is not None]
    if not known or len(known) < len(values):
        return '-'
    digits = 2 if max(map(abs, known)) < 2 else 1
    mean = f'{statistics.mean(known):.{digits}f}'
    return mean if len(known) == 1 else f'{mean} ± {statistics.stdev(known):.{digits}f}'


def markdown(results: Mapping[str, Sequence[Scores]], columns: Sequence[str]) -> str:
    """A row a run: mean and spread over the seeds."""
    lines = [f'| | seeds | {" | ".join(columns)} |', '|---' * (len(columns) + 2) + '|']
    for label, rows in results.items():
        cells = [mean_and_spread([row.get(column) for row in rows]) for column in columns]
        lines.append(f'| {label} | {len(rows)} | {" | ".join(cells)} |')
    return '\n'.join(lines)


def differences(results: Mapping[str, Sequence[Scores]]) -> dict[str, list[Scores]]:
    """Each run minus the first, seed by seed."""
    first, *others = results
    return {
        f'{label} − {first}': [
            {
                key: None if value is None or base.get(key) is None else value - base[key]
                for key, value in row.items()
            }
            for row, base in zip(results[label], results[first], strict=False)
        ]
        for label in others
    }


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    runs = read_runs(args.runs)
    for world in args.worlds:
        list_world(world)  # before any work
    path: Path = args.out_dir / 'results.json'
    results: dict[str, Any] = json.loads(path.read_text()) if path.is_file() else {}
    for seed, world in enumerate(args.worlds):
        folder = args.out_dir / f'seed_{seed}'
        train_seed(runs, world, folder, seed, args.jobs)
        for label in runs:
            if str(seed) not in results.setdefault(label, {}):
                results[label][str(seed)] = evaluate(folder / label, world)
                write_json(path, results)
    rows = {
        label: [results[label][str(seed)] for seed in range(len(args.worlds))] for label in runs
    }
    print(f'\n{markdown(rows, args.columns)}')
    if len(rows) > 1:
        print(f'\n{markdown(differences(rows), args.columns)}')
    print(f'\n{path}')


if __name__ == '__main__':
    warnings.filterwarnings('ignore', module='mmcv')  # about options nobody here set
    try:
        main()
    except (ValueError, OSError, LaunchError, CheckpointError, RuntimeError) as error:
        sys.exit(f'compare_recipes: {error}')
    except KeyboardInterrupt:
        sys.exit('compare_recipes: interrupted; the same command goes on from here')
