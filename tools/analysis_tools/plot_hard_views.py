#!/usr/bin/env python
"""Draw what hard view selection selected over training.

Reads the figures `hard_views/…` that HardViewSelectionHook logs, from one or more
logs (a work dir, or its <time>/vis_data/scalars.json), and writes
OUT_DIR/hard_views.png and OUT_DIR/hard_views.html: overlap and colour distance of
the chosen pairs against the rest, which candidates win, and what selection costs.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.visualization import (  # noqa: E402
    Line,
    Panel,
    Section,
    html_report,
    line_panels,
    read_scalars,
)
from bgaug_mm.visualization.training_log import Scalars  # noqa: E402

PREFIX = 'hard_views/'
# title, figure drawn solid, figure drawn dashed, note
CURVES = [
    ('IoU of the crops', 'hard_views/iou_chosen', 'hard_views/iou_rest', 'dashed: the rest'),
    ('Distance of mean colours (grey levels)', 'hard_views/colour_chosen',
     'hard_views/colour_rest', 'dashed: the rest'),
    ('IoU of local with global crops', 'hard_views/local_iou_chosen',
     'hard_views/local_iou_rest', 'dashed: the rest'),
    ('Share whose pair overlaps least', 'hard_views/least_overlap', '', ''),
    ('Loss of the chosen pair over the mean', 'hard_views/gain', '', ''),
    ('Time spent on selection (share)', 'hard_views/time_share', '', ''),
    ('Training loss', 'loss', '', ''),
    ('Spread of the embeddings (1: no collapse)', 'feature_std', '', ''),
]  # fmt: skip
MEANINGS = {
    'iou_chosen': 'overlap of the chosen crops, intersection over union',
    'iou_rest': 'of the other pairs of the same images',
    'least_overlap': 'share of images whose chosen pair overlaps least of all its pairs',
    'colour_chosen': 'distance of the mean RGB of the chosen views, in grey levels',
    'colour_rest': 'of the other pairs',
    'local_iou_chosen': 'overlap of the chosen local crops with the chosen global ones',
    'local_iou_rest': 'of the local crops left out',
    'gain': 'loss of the chosen pair minus the mean over the pairs',
    'time_share': 'seconds of scoring and choosing over seconds of training',
    'wins_0 …': 'share of images in which candidate 0, 1, … was chosen',
}  # fmt: skip


def parse_args(argv: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('logs', nargs='+', metavar='LOG', help='work dir or scalars.json')
    parser.add_argument('--labels', nargs='+', help="the runs' names; by default the folders'")
    parser.add_argument('--out-dir', type=Path, default=Path('work_dirs/hard_views'))
    parser.add_argument(
        '--smooth', type=int, default=1, metavar='N', help='running mean of N logged values'
    )
    args = parser.parse_args(argv)
    if args.labels and len(args.labels) != len(args.logs):
        parser.error(f'--labels takes {len(args.logs)} names, but got {len(args.labels)}')
    if args.smooth < 1:
        parser.error(f'--smooth must be at least 1, but got {args.smooth}')
    return args


def run_labels(logs: Sequence[str]) -> list[str]:
    """Work dirs' names; the whole paths where these are not unique."""
    names = []
    for log in logs:
        path = Path(log).resolve()
        names.append(path.parents[2].name if path.name == 'scalars.json' else path.name)
    return names if len({*names}) == len(names) else list(logs)


def running_mean(values: Sequence[float], window: int) -> list[float]:
    """Mean of each value and the `window` - 1 before it (fewer at the start)."""
    return [
        sum(values[max(0, i - window + 1) : i + 1]) / min(window, i + 1)
        for i in range(len(values))
    ]  # fmt: skip


def winners(scalars: Scalars) -> list[float]:
    """Share of images that each candidate was chosen in, averaged over the log."""
    names = sorted(name for name in scalars if name.startswith(f'{PREFIX}wins_'))
    return [sum(scalars[name][1]) / len(scalars[name][1]) for name in names]


def make_panels(runs: dict[str, Scalars], window: int) -> list[Panel]:
    """One panel for each figure that a run has."""
    panels = []
    for title, name, dashed, note in CURVES:
        lines = {
            label: [
                Line(scalars[key][0], running_mean(scalars[key][1], window), key == dashed)
                for key in (name, dashed)
                if key in scalars
            ]
            for label, scalars in runs.items()
        }
        if any(lines.values()):
            panels.append(Panel(title, lines, note=note))
    shares = {label: winners(scalars) for label, scalars in runs.items()}
    first = next(iter(shares.values()))
    level = sum(first) / len(first) if first else None
    panels.append(
        Panel(
            'Which candidates win (share of images)',
            {label: [Line(range(len(share)), share)] for label, share in shares.items()},
            x_label='candidate view',
            note='dotted: all alike',
            bars=True,
            level=level,
        )
    )
    return panels


def summary(scalars: Scalars) -> dict[str, tuple[float, float, float]]:
    """Mean over the log, over its first tenth and over its last tenth."""
    rows = {}
    for name, (_, values) in sorted(scalars.items()):
        if name.startswith(PREFIX):
            tenth = max(1, len(values) // 10)
            rows[name.removeprefix(PREFIX)] = (
                sum(values) / len(values),
                sum(values[:tenth]) / tenth,
                sum(values[-tenth:]) / tenth,
            )
    return rows


def main(argv: Sequence[str] | None = None) -> None:
    args = parse_args(argv)
    runs: dict[str, Scalars] = {}
    try:
        for label, log in zip(args.labels or run_labels(args.logs), args.logs, strict=True):
            runs[label] = read_scalars(log)
            if not any(name.startswith(PREFIX) for name in runs[label]):
                raise ValueError(
                    f'{log} has no figures {PREFIX}…: bgaug_mm.HardViewSelectionHook in '
                    '`custom_hooks` logs them'
                )
    except (ValueError, OSError) as error:
        sys.exit(f'plot_hard_views: {error}')

    picture, page = args.out_dir / 'hard_views.png', args.out_dir / 'hard_views.html'
    line_panels(make_panels(runs, args.smooth), picture)
    sections = [Section('Over training', picture=picture)]
    for label, scalars in runs.items():
        rows = [
            [name, *(f'{value:.3f}' for value in values)]
            for name, values in summary(scalars).items()
        ]
        head = ['', 'mean', 'first tenth', 'last tenth']
        sections.append(Section(label, table=[head, *rows]))
        print(f'{label:<24} {"mean":>8} {"first 10th":>10} {"last 10th":>10}')
        for name, *values in rows:
            print(f'  {name:<22} {values[0]:>8} {values[1]:>10} {values[2]:>10}')
    sections.append(Section('What the figures mean', definitions=MEANINGS))
    html_report(
        page,
        'Hard view selection',
        'Chosen pairs against the other candidate pairs of the same images, as logged in '
        'training. Each value is the mean over the images since the one before it.',
        sections,
    )
    print(f'{picture}, {page}')


if __name__ == '__main__':
    main()
