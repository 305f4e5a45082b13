#!/usr/bin/env python
"""How much checkpoints' features depend on the background.

For each checkpoint: the backbone is frozen; a linear probe and k-NN are fitted
on the world's ``train`` set; accuracies on its test sets, BG-Gap (mixed_same -
mixed_rand) and fgpref (share of triplets in which the object outweighs the
background) are printed in percent with 95 % intervals, over the test images or, of
checkpoints of one label, over these seeds; and written as JSON and a bar chart.
evaluate.py does more on one checkpoint and makes a report.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import torch
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.compat import CheckpointError  # noqa: E402
from bgaug_mm.evaluation import (  # noqa: E402
    Evaluation,
    RunResult,
    SuiteOptions,
    build_frozen_backbone,
    evaluate_world,
    list_world,
    load_frozen_backbone,
    read_checkpoint,
    stored_config,
)
from bgaug_mm.evaluation.suite.labels import file_labels  # noqa: E402
from bgaug_mm.evaluation.suite.report import write_scores  # noqa: E402
from bgaug_mm.evaluation.suite.run_result import FAILURES  # noqa: E402
from bgaug_mm.evaluation.suite.table import score_rows, text_table  # noqa: E402
from bgaug_mm.failures import one_line  # noqa: E402


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoints', nargs='+', help='checkpoint files of training runs')
    parser.add_argument('--data', required=True, help='folder of the world')
    parser.add_argument(
        '--config',
        nargs='+',
        help='configs of the checkpoints, one for all or one each; '
        'by default the one stored in each checkpoint',
    )
    parser.add_argument(
        '--labels',
        nargs='+',
        help="the columns' names; equal names are seeds of one model; by default from the files'",
    )
    parser.add_argument(
        '--which', default='auto', help='which network of the checkpoints: auto, online, teacher, …'
    )
    parser.add_argument(
        '--random-init',
        action='store_true',
        help='also evaluate the first backbone with random weights, as a control',
    )
    parser.add_argument('--out-dir', default='work_dirs/background_gap', help='for JSON and PNG')
    parser.add_argument('--json', help='JSON file, by default OUT_DIR/background_gap.json')
    parser.add_argument('--size', type=int, help='resize the images to this side')
    parser.add_argument('--batch-size', type=int, default=256, help='images a batch')
    parser.add_argument('--k', type=int, default=20, help='neighbours of the k-NN probe')
    parser.add_argument('--l2', type=float, default=1e-3, help='penalty of the linear probe')
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='cpu, cuda, …'
    )
    args = parser.parse_args(argv)
    count = len(args.checkpoints)
    if args.config and len(args.config) not in (1, count):
        parser.error(f'--config takes 1 or {count} configs, but got {len(args.config)}')
    if args.labels and len(args.labels) != count:
        parser.error(f'--labels takes {count} names, but got {len(args.labels)}')
    return args


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    labels = args.labels or file_labels(args.checkpoints)
    configs = list(args.config or [None])
    configs = configs * len(args.checkpoints) if len(configs) == 1 else configs
    runs: list[RunResult] = []
    try:
        options = SuiteOptions(
            size=args.size, batch_size=args.batch_size, device=args.device, k=args.k, l2=args.l2,
            parts=(),
        )  # fmt: skip
        list_world(args.data)  # before any work
        loaded = [Config.fromfile(path) if path else None for path in configs]
        if args.random_init:
            first = args.checkpoints[0]
            config = loaded[0] or stored_config(read_checkpoint(first), first)
            backbone = build_frozen_backbone(config, seed=0)
            runs.append(evaluate_world(backbone, args.data, label='random init', options=options))
        for label, checkpoint, config in zip(labels, args.checkpoints, loaded, strict=True):
            backbone = load_frozen_backbone(checkpoint, config, which=args.which)
            runs.append(
                evaluate_world(
                    backbone, args.data, label=label, checkpoint=checkpoint, options=options
                )
            )
        for run in runs:
            for part, reason in run.skipped.items():
                if part != 'fgpref':  # a world need not have triplets
                    raise ValueError(f'{part}: {reason}')
    except (*FAILURES, CheckpointError) as error:
        sys.exit(f'background_gap: {one_line(error)}')
    show(Evaluation(suite='mini', runs=runs), args)


def show(evaluation: Evaluation, args: argparse.Namespace) -> None:
    """Print the figures and what was left out; write the files."""
    for note in dict.fromkeys(note for run in evaluation.runs for note in run.notes):
        print(note)
    print(text_table(score_rows(evaluation)))
    out_dir = Path(args.out_dir)
    json_path = Path(args.json) if args.json else out_dir / 'background_gap.json'
    write_scores(evaluation, json_path, out_dir / 'background_gap.png')
    print(f'{json_path}, {out_dir / "background_gap.png"}')


if __name__ == '__main__':
    main()
