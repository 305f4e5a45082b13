#!/usr/bin/env python
"""Fine-tune detectors from several weights over seeds, and tabulate their APs.

    detection_trials.py OUT --configs configs/detection/voc0712/faster-rcnn_r50-c4_24k.py \
        --weights random byol=byol/epoch_200.pth bgswap=bgswap/epoch_200.pth --trials 5 --gpus 8
    detection_trials.py OUT --mini --trials 3

Each trial is tools/train.py, or with --gpus tools/dist_train.sh, with randomness.seed. A
checkpoint's {seed} is filled in, for weights pre-trained anew for each trial. --mini is the
whole path on CPUs: it makes a small world and a detection set a seed, pre-trains BYOL with
and without swapped backgrounds, and fine-tunes both demo detectors from them and from
random weights. The command can be interrupted at any moment: the same command goes on from
the last checkpoints. A trial that fails is recorded and the others go on. Writes to OUT:
results.json, results.md, results.png, and below it all that was made.
"""

from __future__ import annotations

import argparse
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.engine.launch_config import LaunchError  # noqa: E402
from bgaug_mm.environment import require_detection  # noqa: E402
from bgaug_mm.evaluation.jobs import Job, cores, show_jobs, work_alone  # noqa: E402
from bgaug_mm.evaluation.transfer import (  # noqa: E402
    Transfer,
    collect,
    markdown,
    plan_mini,
    plan_trials,
    plot_transfer,
    read_weights,
)
from bgaug_mm.files import write_bytes, write_json  # noqa: E402


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', metavar='OUT', type=Path, help='folder of the trials, made here')
    parser.add_argument(
        '--mini', action='store_true', help='the whole path at toy scale, instead of --configs'
    )
    parser.add_argument(
        '--configs', nargs='+', default=[], metavar='CONFIG',
        help='detection configs: paths, or package::path',
    )  # fmt: skip
    parser.add_argument(
        '--weights', nargs='+', default=[], metavar='NAME=FILE',
        help='checkpoints by the names in the table; "random" for none, "untrained" for random '
        'weights that are not fine-tuned either',
    )  # fmt: skip
    parser.add_argument(
        '--which', default='auto', help='which network of the files (default: %(default)s)'
    )
    parser.add_argument('--data', metavar='PATH', help='data_root of all datasets')
    parser.add_argument(
        '--trials', type=int, metavar='N', help='seeds, from 0 (default: 5; with --mini 3)'
    )
    parser.add_argument(
        '--gpus', type=int, default=0, metavar='N',
        help='GPUs of one trial (default: tools/train.py, one process)',
    )  # fmt: skip
    parser.add_argument(
        '--jobs', type=int, metavar='N',
        help='trials at once (default: 1; with --mini, of one thread each, the cores)',
    )  # fmt: skip
    for name, text in (
        ('amp', 'automatic mixed precision'),
        ('auto-scale-lr', 'scale the learning rate to the batch'),
    ):
        parser.add_argument(f'--{name}', action='store_true', help=text)
    parser.add_argument(
        '--cfg-options', nargs='+', default=[], metavar='KEY=VALUE',
        help='change the detectors\' configs, as in tools/train.py',
    )  # fmt: skip
    parser.add_argument('--quick', action='store_true', help='try --mini in minutes, no result')
    parser.add_argument(
        '--list', action='store_true', help='show what is done and what is left, and end'
    )
    parser.add_argument(
        '--table', action='store_true', help='write and print what is there so far, and end'
    )
    return parser.parse_args(argv)


def planned(args: argparse.Namespace, out: Path) -> list[Job]:
    """The jobs that the options ask for.

    Raises:
        ValueError: For options that do not go together.
    """
    flags = [
        f'--{name}' for name in ('amp', 'auto-scale-lr') if getattr(args, name.replace('-', '_'))
    ]
    if args.mini:
        given = [
            f'--{name}' for name in ('configs', 'weights', 'data', 'gpus') if getattr(args, name)
        ]
        if given or flags:
            raise ValueError(f'`--mini` brings its own: leave out {", ".join([*given, *flags])}')
        return plan_mini(
            out, ROOT / 'tools', trials=3 if args.trials is None else args.trials,
            options=args.cfg_options, quick=args.quick,
        )  # fmt: skip
    if args.quick:
        raise ValueError('`--quick` is for `--mini`')
    if not args.configs or not args.weights:
        raise ValueError('name `--configs` and `--weights`, or `--mini`')
    trials = 5 if args.trials is None else args.trials
    weights = read_weights(args.weights, trials=trials, which=args.which)
    return plan_trials(
        args.configs, weights, out, ROOT / 'tools',
        trials=trials, gpus=args.gpus, data=args.data, options=args.cfg_options, flags=flags,
    )  # fmt: skip


def write_results(transfer: Transfer, out: Path, title: str) -> None:
    """results.json and results.md."""
    write_json(out / 'results.json', transfer.to_json())
    write_bytes(out / 'results.md', markdown(transfer, title=title).encode())


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    for name, least in (('trials', 1), ('jobs', 1), ('gpus', 0)):
        value = getattr(args, name)
        if value is not None and value < least:
            raise ValueError(f'`--{name}` must be at least {least}, but got {value}')
    require_detection()
    out: Path = args.out.absolute()
    jobs = planned(args, out)
    parallel = args.jobs or (cores() if args.mini else 1)
    title = 'Detection transfer' + (' at toy scale' if args.mini else '')
    title += ' (a trial, no result)' if args.quick else ''
    if args.list:
        show_jobs(jobs, parallel)
        return 0
    failures: dict[str, str] = {}
    if not args.table:
        failures = work_alone(
            out,
            jobs,
            parallel=parallel,
            env={'PYTHON': sys.executable, **({'OMP_NUM_THREADS': '1'} if args.mini else {})},
            finished=lambda job: write_results(collect(jobs), out, title) if job.run else None,
        )
    transfer = collect(jobs)
    if not transfer.scores:
        raise ValueError(f'{out} has no results' + (': all trials failed' if failures else ' yet'))
    write_results(transfer, out, title)
    plot_transfer(transfer, out / 'results.png', title=title)
    print(markdown(transfer, title=title))
    for name, reason in failures.items():
        print(f'{name}: {reason.splitlines()[0]}', file=sys.stderr)
    for file_name in ('results.json', 'results.md', 'results.png'):
        print(out / file_name)
    return 1 if failures else 0


if __name__ == '__main__':
    warnings.filterwarnings('ignore', module='mmcv')  # about options nobody here set
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes end as well
    try:
        sys.exit(main())
    except (ValueError, OSError, ImportError, LaunchError) as error:
        sys.exit(f'detection_trials: {error}')
    except KeyboardInterrupt:
        sys.exit('detection_trials: interrupted; the same command goes on from here')
