#!/usr/bin/env python
"""Does the model look at the object? One report on one or more checkpoints.

Suite mini, on a world: linear and k-NN probes on frozen features on all of its sets, BG-Gap,
the worst background for each object, gamma and patch distortions, FGSM and PGD (also on the
background or the object alone), heat maps. Suite imagenet, on ImageNet and its robustness
sets: classifiers (a backbone with its head), or backbones with a linear probe that probe.py
saved (--probe); distortions and attacks on some of the validation images. What the data
lacks is skipped and named.

A source is a checkpoint, or the results.json of an earlier evaluation, whose figures join
the tables. Checkpoints of one label are its seeds. Writes OUT_DIR/results.json, results.md,
report.html with its pictures inside, and predictions/*.npz, image by image.
"""

from __future__ import annotations

import argparse
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.checkpoints import read_checkpoint, stored_config  # noqa: E402
from bgaug_mm.compat import CheckpointError  # noqa: E402
from bgaug_mm.evaluation import (  # noqa: E402
    FrozenClassifier,
    build_frozen_backbone,
    load_classifier,
    load_frozen_backbone,
    load_linear_probe,
)
from bgaug_mm.evaluation.networks.classifier import LoadedClassifier  # noqa: E402
from bgaug_mm.evaluation.suite.imagenet import evaluate_imagenet  # noqa: E402
from bgaug_mm.evaluation.suite.labels import file_labels  # noqa: E402
from bgaug_mm.evaluation.suite.options import SuiteOptions  # noqa: E402
from bgaug_mm.evaluation.suite.pictures import pictures  # noqa: E402
from bgaug_mm.evaluation.suite.report import tables, write_markdown, write_report  # noqa: E402
from bgaug_mm.evaluation.suite.results import (  # noqa: E402
    Evaluation,
    pair_with_controls,
    read_runs,
    subtract_control,
)
from bgaug_mm.evaluation.suite.run_result import FAILURES, RunResult  # noqa: E402
from bgaug_mm.evaluation.suite.table import text_table  # noqa: E402
from bgaug_mm.evaluation.suite.world import PARTS, evaluate_world  # noqa: E402
from bgaug_mm.failures import one_line  # noqa: E402

OPENINGS = {
    'mini': 'Frozen networks on a made world: a shortcut-sensitivity test on composites, not '
    'ImageNet-9. In training most objects of a class stand on the same kind of background; the '
    'sets ask what is left when they do not. Figures are in percent unless they say otherwise.',
    'imagenet': 'Classifiers on ImageNet and the sets that test its shortcuts. Top-1 accuracy in '
    'percent unless a figure says otherwise.',
}


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoints', nargs='*', metavar='CHECKPOINT', help='sources')
    parser.add_argument('--suite', choices=('mini', 'imagenet'), default='mini')
    parser.add_argument(
        '--data', nargs='+', required=True, metavar='DIR',
        help='the world (mini) or the folder of the robustness sets (imagenet); one for all '
        'checkpoints or one each, when each seed has its own',
    )  # fmt: skip
    parser.add_argument('--base', nargs='+', default=[], metavar='CHECKPOINT',
                        help='sources that the others are compared with')  # fmt: skip
    parser.add_argument('--compare', nargs='+', default=[], metavar='SOURCE',
                        help='further sources; all are compared with the first label')  # fmt: skip
    parser.add_argument(
        '--labels', nargs='+',
        help='a name a source, in the order base, checkpoints, compare; equal names are seeds '
        "of one model (default: the files' names); a results.json of several labels gets it "
        'before each of them',
    )  # fmt: skip
    parser.add_argument('--control', metavar='LABEL', help='the label whose BG-Gap is subtracted '
                        'from the others\': the plain recipe, trained and probed on a world where '
                        'backgrounds say nothing of the class (mini)')  # fmt: skip
    parser.add_argument('--config', nargs='+', help='configs of the checkpoints, one for all or '
                        'one each (default: the one stored in each)')  # fmt: skip
    parser.add_argument('--which', default='auto', help='which network of the checkpoints: auto, '
                        'online, teacher, … (default: %(default)s)')  # fmt: skip
    parser.add_argument('--probe', nargs='+', help='linear probes of the backbones, one for each '
                        'checkpoint (imagenet; files of probe.py --save-probe)')  # fmt: skip
    parser.add_argument('--random-init', action='store_true',
                        help='also the first backbone with random weights')  # fmt: skip
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/evaluation'))
    parser.add_argument('--skip', nargs='+', default=[], choices=PARTS,
                        help='parts (of imagenet: structure, attacks)')  # fmt: skip
    parser.add_argument('--size', type=int, help='resize the images to this side (mini)')
    parser.add_argument('--batch-size', type=int, default=256, help='images a batch')
    parser.add_argument('--k', type=int, default=20, help='neighbours of the k-NN probe')
    parser.add_argument('--l2', type=float, default=1e-3, help='penalty of the linear probe')
    parser.add_argument('--probed', type=int, default=128, help='images with heat maps (mini)')
    parser.add_argument('--attacked', type=int, default=64, help='images attacked')
    parser.add_argument('--distorted', type=int, default=192, help='images distorted')
    parser.add_argument('--norm', choices=('linf', 'l2'), default='linf',
                        help='of the attacks (default: %(default)s)')  # fmt: skip
    parser.add_argument('--eps', nargs='+', type=float, help='radii of the attacks: in 255ths a '
                        'pixel (default: 1 4), or for l2 the length in an image of 0 to 1 '
                        '(default: 0.25 1)')  # fmt: skip
    parser.add_argument('--steps', type=int, default=10, help='of PGD')
    parser.add_argument('--restarts', type=int, default=1, help='of PGD')
    parser.add_argument('--workers', type=int, default=4,
                        help='processes that read images (imagenet)')  # fmt: skip
    parser.add_argument('--sets', nargs='+', help='robustness sets (imagenet; '
                        'default: all but backgrounds_challenge, which takes hours)')  # fmt: skip
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='cpu, cuda, …'
    )
    args = parser.parse_args(argv)
    args.sources = [*args.base, *args.checkpoints, *args.compare]
    count = len(args.sources)
    if not count:
        parser.error('no CHECKPOINT')
    for name, values in (
        ('--config', args.config), ('--data', args.data), ('--probe', args.probe),
    ):  # fmt: skip
        if values and len(values) not in (1, count):
            parser.error(f'{name} takes 1 or {count} values, but got {len(values)}')
    if args.labels and len(args.labels) != count:
        parser.error(f'--labels takes {count} names, but got {len(args.labels)}')
    if args.control and args.suite != 'mini':
        parser.error('--control is for --suite mini')
    for name in ('batch_size', 'k', 'probed', 'attacked', 'distorted', 'steps', 'restarts'):
        if getattr(args, name) < 1:
            parser.error(f'--{name.replace("_", "-")} must be at least 1')
    return args


def label_earlier(
    earlier: Mapping[int, Sequence[RunResult]],
    sources: Sequence[str],
    given: Sequence[str] | None,
    taken: Sequence[str],
) -> None:
    """Labels of the runs read from files, by the files' places among the sources.

    Without `given` labels runs keep theirs, but for one that another source has too: equal
    labels are seeds of one model, and nobody said that these are.
    """
    own = {place: list(dict.fromkeys(run.label for run in runs))
           for place, runs in earlier.items()}  # fmt: skip
    short = dict(zip(earlier, file_labels([sources[place] for place in earlier]), strict=True))
    every = [*taken, *(label for labels in own.values() for label in labels)]
    for place, runs in earlier.items():
        for run in runs:
            if given and len(own[place]) == 1:
                run.label = given[place]
            elif given:
                run.label = f'{given[place]}: {run.label}'
            elif every.count(run.label) > 1:
                run.label = f'{run.label} ({short[place]})'


def spread_out(values: Sequence[str] | None, count: int) -> list[str | None]:
    """One value a source."""
    if not values:
        return [None] * count
    return list(values) * count if len(values) == 1 else list(values)


def radii(args: argparse.Namespace) -> tuple[float, ...] | None:
    """Of the attacks, of an image of 0..1; None for the norm's default."""
    if args.eps is None:
        return None
    return tuple(eps / 255 if args.norm == 'linf' else eps for eps in args.eps)


def suite_options(args: argparse.Namespace) -> SuiteOptions:
    return SuiteOptions(
        size=args.size, batch_size=args.batch_size, device=args.device, k=args.k, l2=args.l2,
        probed=args.probed, attacked=args.attacked, distorted=args.distorted,
        norm=args.norm, eps=radii(args), steps=args.steps, restarts=args.restarts,
        parts=tuple(part for part in PARTS if part not in args.skip),
    )  # fmt: skip


def evaluate_mini(
    args: argparse.Namespace,
    source: str,
    config: Config | None,
    label: str,
    data: str,
    probe: str | None,
) -> RunResult:
    """The small suite on a checkpoint; without one on random weights."""
    if probe:
        raise ValueError('`--probe` is for `--suite imagenet`: this one fits probes of its own')
    options = suite_options(args)
    if not source:
        backbone = build_frozen_backbone(config, seed=0)
    else:
        backbone = load_frozen_backbone(source, config, which=args.which)
    return evaluate_world(
        backbone, data, label=label, checkpoint=source or 'random weights', options=options,
        progress=lambda part: print(f' {part}', end='', flush=True),
    )  # fmt: skip


def evaluate_robustness_sets(
    args: argparse.Namespace,
    source: str,
    config: Config | None,
    label: str,
    data: str,
    probe: str | None,
) -> RunResult:
    """The suite imagenet on a checkpoint of a classifier, or of a backbone with its probe."""
    if not source:
        raise ValueError('random weights have no head to classify with')
    classifier: FrozenClassifier | LoadedClassifier
    if probe:
        backbone = load_frozen_backbone(source, config, which=args.which)
        fitted = load_linear_probe(probe)
        width = backbone(torch.zeros(1, 3, 224, 224, dtype=torch.uint8)).shape[1]
        if width != fitted.weight.shape[1]:
            raise ValueError(
                f'{probe} is for {fitted.weight.shape[1]} features, but the backbone of {source} '
                f'gives {width}'
            )
        classifier = FrozenClassifier(backbone, fitted)
    else:
        classifier = load_classifier(source, config)
    return evaluate_imagenet(
        classifier, data, label=label, checkpoint=source, sets=args.sets,
        options=suite_options(args), workers=args.workers,
        progress=lambda part: print(f' {part}', end='', flush=True),
    )  # fmt: skip


def collect(args: argparse.Namespace) -> list[RunResult]:
    """The runs of all sources; one that fails is a run that says so."""
    count = len(args.sources)
    # before any work: a file that is no results.json is found out now
    earlier = {
        place: read_runs(source)
        for place, source in enumerate(args.sources)
        if source.endswith('.json')
    }
    labels = args.labels or file_labels(args.sources)
    taken = [label for place, label in enumerate(labels) if place not in earlier]
    label_earlier(earlier, args.sources, args.labels, taken)
    jobs: list[tuple[str, Any, str, Any, str | None]] = list(
        zip(
            args.sources,
            spread_out(args.config, count),
            labels,
            spread_out(args.data, count),
            spread_out(args.probe, count),
            strict=True,
        )
    )
    if args.control:  # before any work, too
        every = ['random init'] * args.random_init
        for place, label in enumerate(labels):
            every += [run.label for run in earlier[place]] if place in earlier else [label]
        pair_with_controls(every, args.control)
    runs = []
    if args.random_init:
        place = next((place for place in range(count) if place not in earlier), None)
        if place is None:
            raise ValueError('`--random-init` needs a checkpoint: that of its backbone')
        source, config, _, data, _ = jobs[place]
        found = (
            Config.fromfile(config) if config else stored_config(read_checkpoint(source), source)
        )
        jobs.insert(0, ('', found, 'random init', data, None))
        earlier = {place + 1: found for place, found in earlier.items()}
    for place, (source, config, label, data, probe) in enumerate(jobs):
        if place in earlier:
            runs += earlier[place]
            continue
        print(f'{label}:', end='', flush=True)
        run = RunResult(label=label, checkpoint=source, data=str(data))
        with run.part('checkpoint'):
            loaded = Config.fromfile(config) if isinstance(config, str) else config
            run = SUITES[args.suite](args, source, loaded, label, data, probe)
        print(f' ({sum(run.seconds.values()):.0f} s)')
        for part, reason in run.skipped.items():
            print(f'  {part} skipped: {reason}')
        for note in run.notes:
            print(f'  {note}')
        runs.append(run)
    return runs


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    try:
        runs = collect(args)
        if not any(run.means for run in runs):
            raise ValueError('nothing could be evaluated: ' + '; '.join(
                f'{run.label}: {reason}' for run in runs for reason in run.skipped.values()
            ))  # fmt: skip
        if args.control:
            subtract_control(runs, args.control)
        base = next(
            (run.label for run in runs if run.label not in ('random init', args.control)), None
        )
        settings = {
            key: getattr(args, key)
            for key in (
                *('which', 'size', 'k', 'l2', 'probed', 'attacked', 'distorted'),
                *('norm', 'eps', 'steps', 'restarts', 'device', 'skip', 'sets'),
            )
        }
        evaluation = Evaluation(
            suite=args.suite, runs=runs, base=base, control=args.control, settings=settings
        )
        write_all(evaluation, args.out_dir, OPENINGS[args.suite], size=args.size)
    except (*FAILURES, CheckpointError) as error:
        sys.exit(f'evaluate: {one_line(error)}')


def write_all(evaluation: Evaluation, folder: Path, opening: str, *, size: int | None) -> None:
    """All files of an evaluation; prints the first table."""
    results = evaluation.save(folder)
    write_markdown(folder / 'results.md', evaluation, opening)
    shown = pictures(evaluation, folder, size=size)
    write_report(folder / 'report.html', evaluation, opening, pictures=shown)
    first = next(iter(tables(evaluation).values()))
    print(f'\n{text_table(first)}')
    print(f'\n{results}, {folder / "results.md"}, {folder / "report.html"}')


SUITES = {'mini': evaluate_mini, 'imagenet': evaluate_robustness_sets}

if __name__ == '__main__':
    warnings.filterwarnings('ignore', module='mmcv')  # about options nobody here set
    main()
