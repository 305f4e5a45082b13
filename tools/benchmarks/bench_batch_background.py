"""Cost of the batch version of a background operation on a device.

One view of a batch, (B, 4, H, W) uint8, goes through BackgroundDataPreprocessor without
an operation, with BackgroundSwap at each probability, and through plain copies of as
many bytes as these move; beside them one forward of ResNet-50 (training mode, float32
on the CPU, bfloat16 autocast on other devices). All in turn in one process; figures are medians
over rounds. What the operation costs is the difference to the preprocessor without one.

    python tools/benchmarks/bench_batch_background.py --json out.json
    python tools/benchmarks/bench_batch_background.py --device cuda --json out.json
"""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from mmengine.utils import track_iter_progress
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torchvision.models import resnet50

from bgaug_mm.files import write_json
from bgaug_mm.models.data_preprocessors import BackgroundDataPreprocessor

MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


class BytesMoved(TorchDispatchMode):
    """Counts what the operations read and write, as if nothing stayed in a cache."""

    def __init__(self) -> None:
        super().__init__()
        self.total = 0
        self.by_op: dict[str, int] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Sequence[Any] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        name = func.overloadpacket.__name__
        written = [value for value in _tensors(out) if not _is_view(func)]
        read = [value for value in _tensors(args) if not _is_view(func)]
        if name in ('index', 'index_select', 'gather'):  # reads what it writes
            read = written
        elif name == 'index_copy_':  # the rest stays as it is
            read, written = [args[3]], [args[3]]
        moved = sum(map(_bytes, read)) + sum(map(_bytes, written))
        self.total += moved
        self.by_op[name] = self.by_op.get(name, 0) + moved
        return out


def _tensors(values: Any) -> list[Tensor]:
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, (list, tuple)):
        return [tensor for value in values for tensor in _tensors(value)]
    return []


def _is_view(func: Any) -> bool:
    returns = func._schema.returns
    aliases = [r.alias_info for r in returns if r.alias_info is not None]
    return any(not alias.is_write for alias in aliases)


def _bytes(tensor: Tensor) -> int:
    """Of the elements that are there: repeated ones (stride 0) once."""
    count = tensor.element_size()
    for size, stride in zip(tensor.shape, tensor.stride(), strict=True):
        count *= size if stride else 1
    return count


def make_views(batch: int, size: int, device: torch.device) -> Tensor:
    """Random pixels with soft elliptic masks, a quarter of the area on average."""
    generator = torch.Generator().manual_seed(0)
    views = torch.randint(256, (batch, 4, size, size), dtype=torch.uint8, generator=generator)
    at = torch.linspace(0, 1, size)
    for view in views:
        x, y, a, b = torch.rand(4, generator=generator) * 0.3 + torch.tensor(
            [0.35, 0.35, 0.15, 0.15]
        )
        far = ((at[None] - x) / a) ** 2 + ((at[:, None] - y) / b) ** 2
        view[3] = (255 * (4 - 3 * far).clamp(0, 1)).to(torch.uint8)
    return views.to(device)


def preprocessor(
    prob: float | None, infill: str, device: torch.device
) -> BackgroundDataPreprocessor:
    """Without an operation, or with one of a probability."""
    background = dict(type='bgaug_mm.RecentBackground', infill=infill)
    op = dict(type='bgaug_mm.BackgroundSwap', prob=prob, background=background)
    return BackgroundDataPreprocessor(
        background_op=None if prob is None else op, mean=MEAN, std=STD, to_rgb=True
    ).to(device)


def copy_of(total: int, device: torch.device) -> Callable[[], Any]:
    """A plain copy that reads and writes ``total`` bytes in all."""
    source = torch.zeros(max(total // 2, 1), dtype=torch.uint8, device=device)
    target = torch.empty_like(source)
    return lambda: target.copy_(source)


def forward_of(batch: int, size: int, device: torch.device) -> Callable[[], Any]:
    """One forward of ResNet-50 with its graph, as a training step makes it."""
    model = resnet50().to(device).train()
    images = torch.randn(batch, 3, size, size, device=device)
    amp = device.type != 'cpu'

    def run() -> Any:
        with torch.autocast(device.type, torch.bfloat16, enabled=amp):
            return model(images)

    return run


def measure(
    runs: dict[str, Callable[[], Any]], rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Milliseconds of each run, one value a round (after a warm-up round)."""
    wait = torch.cuda.synchronize if device.type == 'cuda' else lambda: None
    times: dict[str, list[float]] = {name: [] for name in runs}
    for turn in track_iter_progress(list(range(rounds + 1)), file=sys.stderr):
        for name in list(runs) if turn % 2 else list(runs)[::-1]:
            torch.manual_seed(turn)
            wait()
            start = time.perf_counter()
            runs[name]()
            wait()
            times[name].append(1e3 * (time.perf_counter() - start))
    return {name: values[1:] for name, values in times.items()}


def main() -> None:
    """Run the benchmark, print a table, write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', metavar='FILE', help='write the figures to this file')
    parser.add_argument('--device', default='cpu', help='cpu, cuda, … (default: cpu)')
    parser.add_argument('--batch', type=int, default=256, help='images (default: 256)')
    parser.add_argument('--size', type=int, default=224, help='side of a view (default: 224)')
    parser.add_argument('--rounds', type=int, default=7, help='rounds (default: 7)')
    parser.add_argument(
        '--probs', type=float, nargs='+', default=[0.2, 1.0], help='(default: 0.2 1.0)'
    )
    parser.add_argument(
        '--infill',
        default='tile_strip',
        choices=['tile_strip', 'tile_rectangle', 'mean'],
        help="how a donor's foreground is taken out (default: tile_strip)",
    )
    parser.add_argument(
        '--forward-batch',
        type=int,
        help="images of ResNet-50's forward; its time is scaled to the batch (default: 8 on "
        'the CPU, the batch elsewhere)',
    )
    args = parser.parse_args()

    device = torch.device(args.device)
    views = make_views(args.batch, args.size, device)
    runs: dict[str, Callable[[], Any]] = {}
    moved: dict[str, int] = {}
    by_op: dict[str, dict[str, int]] = {}
    for prob in [None, *args.probs]:
        name = 'no operation' if prob is None else f'prob {prob:g}'
        treat = preprocessor(prob, args.infill, device)

        def run(treat: BackgroundDataPreprocessor = treat) -> Any:
            return treat(dict(inputs=[views]), training=True)

        torch.manual_seed(0)
        with BytesMoved() as counter:
            run()
        runs[name] = run
        moved[name], by_op[name] = counter.total, counter.by_op
        runs[f'copy as {name}'] = copy_of(counter.total, device)
    few = args.forward_batch or (min(8, args.batch) if device.type == 'cpu' else args.batch)
    runs['ResNet-50'] = forward_of(few, args.size, device)

    times = measure(runs, args.rounds, device)
    ms = {name: statistics.median(values) for name, values in times.items()}
    forward = ms.pop('ResNet-50') * args.batch / few
    rows = []
    for name, bytes_moved in moved.items():
        extra = [op - none for op, none in zip(times[name], times['no operation'], strict=True)]
        rows.append(
            dict(
                preprocessor=name,
                ms=round(ms[name], 3),
                megabytes_moved=round(bytes_moved / 1e6, 1),
                ms_of_plain_copy=round(ms[f'copy as {name}'], 3),
                ratio_to_plain_copy=round(ms[name] / ms[f'copy as {name}'], 2),
                ms_of_operation=round(statistics.median(extra), 3),
                operation_over_forward=round(statistics.median(extra) / forward, 5),
                megabytes_by_op={
                    op: round(b / 1e6, 1)
                    for op, b in sorted(by_op[name].items(), key=lambda item: -item[1])
                    if b > 1e5
                },
            )
        )
    result = dict(
        device=torch.cuda.get_device_name(device) if device.type == 'cuda' else platform.machine(),
        rows=rows,
        resnet50_forward=dict(
            ms=round(forward, 2),
            images_run=few,
            precision='float32' if device.type == 'cpu' else 'bfloat16',
        ),
        settings=dict(
            batch=args.batch,
            size=args.size,
            rounds=args.rounds,
            infill=args.infill,
            threads=torch.get_num_threads(),
        ),
        versions=dict(python=platform.python_version(), torch=torch.__version__),
    )
    for row in rows:
        print(
            f'{row["preprocessor"]:>14}: {row["ms"]:9.2f} ms, {row["megabytes_moved"]:8.1f} MB, '
            f'{row["ratio_to_plain_copy"]:5.2f} x a copy of as many; the operation '
            f'{row["ms_of_operation"]:8.2f} ms, {100 * row["operation_over_forward"]:.2f}% of a '
            'forward'
        )
    print(f'     ResNet-50: {forward:9.2f} ms a forward of {args.batch} images ({few} run)')
    if args.json:
        write_json(Path(args.json), result)


if __name__ == '__main__':
    main()
