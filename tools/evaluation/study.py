#!/usr/bin/env python
"""Train and evaluate a whole study: methods × worlds × treatments × seeds.

STUDY is a YAML file or the name of a preset (`background`: configs/demo/
background_study.yml). Worlds are made, masks spoilt or estimated, networks trained and
probed, as many at a time as there are cores, in an order that completes comparisons early.
The command can be interrupted at any moment: the same command goes on from the last
epochs. A run that fails is recorded and the others go on. Writes to OUT: results.json,
results.md, study.png, and below worlds/, masks/ and runs/ all that was made.

    python tools/evaluation/study.py background OUT --source cutouts=FOLDER
    python tools/evaluation/study.py background OUT --only "digits/simclr" --list

Machines without a common disk share a study by --only, and one gathers their figures:

    python tools/evaluation/study.py background OUT --known A/results.json B/results.json --table
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
from bgaug_mm.evaluation.jobs import cores, show_jobs, work_alone  # noqa: E402
from bgaug_mm.evaluation.study import (  # noqa: E402
    Results,
    collect,
    markdown,
    plan,
    plot_study,
    read_known,
    read_study,
)
from bgaug_mm.files import write_bytes, write_json  # noqa: E402


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('study', metavar='STUDY', help='YAML file, or a preset: background')
    parser.add_argument('out', metavar='OUT', type=Path, help='folder of the study, made here')
    parser.add_argument(
        '--source', nargs='+', default=[], metavar='WORLD=FOLDER',
        help='raw material of worlds, e.g. cutouts=FOLDER with cutouts/ and textures/',
    )  # fmt: skip
    parser.add_argument(
        '--jobs', type=int, default=cores(), metavar='N',
        help='processes at once, of one thread each (default: the cores, here %(default)s)',
    )  # fmt: skip
    parser.add_argument(
        '--only', nargs='+', default=[], metavar='PATTERN',
        help='runs whose world/method/arm/seed fits one, e.g. "digits" "*/simclr/*/0"',
    )  # fmt: skip
    parser.add_argument(
        '--known', nargs='+', default=[], metavar='FILE',
        help='results.json of studies elsewhere: runs with the same settings are not made again',
    )  # fmt: skip
    parser.add_argument('--quick', action='store_true', help='a small trial: minutes, no result')
    parser.add_argument(
        '--list', action='store_true', help='show what is done and what is left, and end'
    )
    parser.add_argument(
        '--table', action='store_true', help='write and print what is there so far, and end'
    )
    return parser.parse_args(argv)


def write_results(results: Results, out: Path) -> None:
    """results.json and results.md."""
    write_json(out / 'results.json', results.to_json())
    write_bytes(out / 'results.md', markdown(results).encode())


def main(argv: Sequence[str] | None = None) -> int:
    args = parse_args(argv)
    if args.jobs < 1:
        raise ValueError(f'`--jobs` must be at least 1, but got {args.jobs}')
    study = read_study(args.study)
    if args.quick:
        study = study.quick()
    sources = dict(entry.partition('=')[::2] for entry in args.source)
    out: Path = args.out.absolute()
    known = read_known(args.known)
    jobs = plan(study.with_sources(sources), out, ROOT / 'tools', only=args.only, known=known)
    here = [job for job in jobs if job.is_done or job.folder.name not in known]
    if args.list:
        show_jobs(here, args.jobs)
        if args.known:
            print(f'{len(jobs) - len(here)} more are known from {", ".join(args.known)}')
        return 0

    def gather() -> Results:
        return collect(study, jobs, known)

    failures: dict[str, str] = {}
    if not args.table:
        failures = work_alone(
            out,
            here,
            parallel=args.jobs,
            env={'OMP_NUM_THREADS': '1'},
            finished=lambda job: write_results(gather(), out) if job.run else None,
        )
    results = gather()
    if not results.scores:
        raise ValueError(f'{out} has no results' + (': all runs failed' if failures else ' yet'))
    write_results(results, out)
    plot_study(results, out / 'study.png')
    print(markdown(results))
    for name, reason in failures.items():
        print(f'{name}: {reason.splitlines()[0]}', file=sys.stderr)
    for file_name in ('results.json', 'results.md', 'study.png'):
        print(out / file_name)
    return 1 if failures else 0


if __name__ == '__main__':
    warnings.filterwarnings('ignore', module='mmcv')  # about options nobody here set
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the processes end as well
    try:
        sys.exit(main())
    except (ValueError, OSError, LaunchError) as error:
        sys.exit(f'study: {error}')
    except KeyboardInterrupt:
        sys.exit('study: interrupted; the same command goes on from here')
