"""Cost of hard view selection, and what a naive selection costs and gains.

A training step of SimSiam on the hardest two of four views, and of DINO (ViT-S/16) on the
hardest 2 + 8 of 4 + 16 crops, over the same step on 2 (2 + 8) views without selection. All in
turn in one process; figures are medians over rounds of the ratio within a round. Making the
candidate views is the data loader's work and not part of it.

    python tools/benchmarks/bench_hard_views.py --json out.json
    python tools/benchmarks/bench_hard_views.py --device cuda --amp --depth 50 --batch 128 \\
        --dino-batch 64 --out-channels 65536 --json out.json

Rows (theory counts forwards: a backward is two, a 112² view a quarter of a 224² one):

- exact: every sample's hardest choice, scored at full size.
- half_res: scored at 112² (local crops at 48²); every_2nd: selection in every second step.
- teacher_reuse: what the teacher made of the chosen global crops goes into the step.
- naive: two views: forwards in training mode, views copied pair by pair with torch.where.
  DINO: 64 random combinations, each with its own cross-entropies and copies.
- gain_exact, gain_random64, gain_random128: how much the mean loss of the choice lies above
  that of random crops, as a share of what the exact choice reaches on the same candidates;
  beside it the same for independent normal losses.
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from hard_view_cases import (
    GLOBALS,
    LOCALS,
    LOCALS_OUT,
    build,
    crops,
    gains,
    loss_matrix,
    naive_crops,
    naive_pair,
    random_choices,
    step,
    theory_dino,
    theory_two_view,
)
from mmengine.utils import track_iter_progress
from torch import Tensor

from bgaug_mm.engine.hooks import HardViewSelectionHook
from bgaug_mm.files import write_json

#: Arch of mmpretrain's VisionTransformer -> length of its features.
WIDTHS = {'deit-tiny': 192, 'deit-small': 384}

Runs = dict[str, tuple[Callable[[], Any], int]]  # what to run, and how many steps that is


def with_selection(
    runner: Any, views: list[Tensor], steps: int, **options: Any
) -> Callable[[], Any]:
    """Training steps behind the hook, from its first iteration."""
    hook = HardViewSelectionHook(by_epoch=False, telemetry_interval=0, **options)
    hook.before_train(runner)

    def run() -> None:
        for iteration in range(steps):
            runner.iter = iteration
            batch = dict(inputs=list(views))
            hook.before_train_iter(runner, iteration, batch)
            step(runner, batch['inputs'])

    return run


def two_view_runs(runner: Any, views: list[Tensor]) -> Runs:
    """SimSiam: plain, and the hardest pair in several ways."""
    half = views[0].shape[-1] // 2

    def selecting(steps: int = 1, **options: Any) -> tuple[Callable[[], Any], int]:
        return with_selection(runner, views, steps, recipes=[0] * len(views), **options), steps

    return dict(
        plain=(lambda: step(runner, views[:2]), 1),
        exact=selecting(),
        half_res=selecting(score_size=half),
        every_2nd=selecting(2, every_n_iters=2),
        both=selecting(2, every_n_iters=2, score_size=half),
        naive=(lambda: step(runner, naive_pair(runner, views)), 1),
    )


def dino_runs(runner: Any, views: list[Tensor]) -> Runs:
    """DINO: plain, and the hardest crops in several ways."""
    recipes = [0] * (GLOBALS // 2) + [1] * (GLOBALS // 2) + [2] * LOCALS
    plain = [views[0], views[GLOBALS // 2], *views[GLOBALS : GLOBALS + LOCALS_OUT]]
    generator = torch.Generator().manual_seed(0)

    def selecting(**options: Any) -> tuple[Callable[[], Any], int]:
        return with_selection(
            runner, views, 1, recipes=recipes, per_global_recipe=True,
            num_views_out=2 + LOCALS_OUT, **options,
        ), 1  # fmt: skip

    def naive() -> None:
        draws = random_choices(64, generator)
        step(runner, naive_crops(runner, views, draws))

    return dict(
        plain=(lambda: step(runner, plain), 1),
        exact=selecting(),
        teacher_reuse=selecting(scorer=dict(type='DINOScorer', reuse_teacher=True)),
        half_res=selecting(score_size=views[0].shape[-1] // 2),
        naive=(naive, 1),
    )


def measure(
    runs: Runs, rounds: int, device: torch.device, clock: Callable[[], float]
) -> dict[str, list[float]]:
    """Seconds a step of each run, one value a round (after a warm-up round)."""
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in track_iter_progress(list(range(rounds + 1)), file=sys.stderr):
        for name in list(runs) if turn % 2 else list(runs)[::-1]:
            run, steps = runs[name]
            wait()
            start = clock()
            run()
            wait()
            times[name].append((clock() - start) / steps)
    return {name: values[1:] for name, values in times.items()}


def ratios(times: dict[str, list[float]], theory: dict[str, float]) -> list[dict[str, Any]]:
    """A row for each run beside the plain one."""
    rows = []
    for name, values in times.items():
        each = [value / plain for value, plain in zip(values, times['plain'], strict=True)]
        rows.append(
            dict(
                row=name,
                seconds=round(statistics.median(values), 4),
                ratio=round(statistics.median(each), 3),
                lowest=round(min(each), 3),
                highest=round(max(each), 3),
                theory=round(theory[name], 3) if name in theory else None,
            )
        )
    return rows


def main() -> None:
    """Run the benchmark, print a table, write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', metavar='FILE', help='write the figures to this file')
    parser.add_argument('--device', default='cpu', help='cpu, cuda, … (default: cpu)')
    parser.add_argument('--amp', action='store_true', help='bfloat16 autocast (not on the CPU)')
    parser.add_argument(
        '--cpu-time',
        action='store_true',
        help='count the seconds of the processor instead of those of the clock: for a CPU that '
        'others use as well',
    )
    parser.add_argument('--rounds', type=int, default=3, help='rounds (default: 3)')
    parser.add_argument(
        '--only', choices=['two_view', 'dino'], help='measure one of the two (default: both)'
    )
    parser.add_argument(
        '--depth', type=int, default=18, choices=[18, 34, 50], help='ResNet (default: 18)'
    )
    parser.add_argument('--size', type=int, default=224, help='side of a view (default: 224)')
    parser.add_argument('--batch', type=int, default=16, help='images, SimSiam (default: 16)')
    parser.add_argument('--dino-batch', type=int, default=4, help='images, DINO (default: 4)')
    parser.add_argument(
        '--vit',
        default='deit-small',
        choices=list(WIDTHS),
        help="mmpretrain's arch of DINO's ViT (default: deit-small)",
    )
    parser.add_argument(
        '--out-channels', type=int, default=4096, help="DINO's outputs (default: 4096)"
    )
    parser.add_argument(
        '--gain-images', type=int, default=8, help='images of the gain rows (default: 8)'
    )
    args = parser.parse_args()

    device = torch.device(args.device)
    if args.cpu_time and device.type != 'cpu':
        parser.error(f'--cpu-time is for --device cpu, but got --device {args.device}')
    clock = time.process_time if args.cpu_time else time.perf_counter
    built = dict(device=device, amp=args.amp)
    result: dict[str, Any] = dict(two_view={}, dino={})
    rows: dict[str, list[dict[str, Any]]] = {}
    if args.only != 'dino':
        channels = 2048 if args.depth == 50 else 512
        runner = build(
            'bgaug_mm::mmpretrain/simsiam_hvs.py',
            dict(backbone=dict(depth=args.depth), neck=dict(in_channels=channels)),
            **built,
        )
        views = crops({args.size: (4, 0.2, 1.0)}, args.batch, device)
        theory = dict(
            exact=theory_two_view(4),
            half_res=theory_two_view(4, scale=0.5),
            every_2nd=theory_two_view(4, every=2),
            both=theory_two_view(4, scale=0.5, every=2),
        )
        times = measure(two_view_runs(runner, views), args.rounds, device, clock)
        rows['two_view'] = ratios(times, theory)
    if args.only != 'two_view':
        overrides = dict(
            backbone=dict(arch=args.vit, img_size=args.size),
            head=dict(in_channels=WIDTHS[args.vit], out_channels=args.out_channels),
        )
        runner = build('bgaug_mm::dino.py', overrides, **built)
        sizes = {
            args.size: (GLOBALS, 0.4, 1.0),
            args.size * 3 // 7 // 16 * 16: (LOCALS, 0.05, 0.4),
        }
        views = crops(sizes, args.dino_batch, device)
        theory = dict(
            exact=theory_dino(),
            teacher_reuse=theory_dino(reuse=True),
            half_res=theory_dino(scale=0.5),
        )
        times = measure(dino_runs(runner, views), args.rounds, device, clock)
        rows['dino'] = ratios(times, theory)
        result['dino'] = gains(loss_matrix(runner, crops(sizes, args.gain_images, device)))
        shape = (64, GLOBALS, GLOBALS + LOCALS)
        independent = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        result['dino_independent_losses'] = gains(independent)
    for kind, table in rows.items():
        result[kind].update({row['row']: row['ratio'] for row in table if row['row'] != 'plain'})
    result.update(
        rows=rows,
        settings=dict(vars(args), threads=torch.get_num_threads()),
        device=torch.cuda.get_device_name(device) if device.type == 'cuda' else platform.machine(),
        versions=dict(python=platform.python_version(), torch=torch.__version__),
    )
    for kind, table in rows.items():
        for row in table:
            theory_text = '' if row['theory'] is None else f', theory {row["theory"]:.2f}'
            print(
                f'{kind:>8} {row["row"]:>13}: {row["seconds"]:8.3f} s a step, '
                f'{row["ratio"]:.2f} x plain ({row["lowest"]:.2f}-{row["highest"]:.2f})'
                f'{theory_text}'
            )
    for name in ('gain_exact', 'gain_random64', 'gain_random128'):
        if name in result['dino']:
            print(
                f'    dino {name:>14}: {100 * result["dino"][name]:.0f}% of the attainable gain '
                f'({100 * result["dino_independent_losses"][name]:.0f}% if all losses were '
                'independent)'
            )
    if args.json:
        write_json(Path(args.json), result)


if __name__ == '__main__':
    main()
