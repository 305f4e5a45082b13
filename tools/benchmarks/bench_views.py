"""Images per second and core of BYOL's views: upstream's plain ones against byol_bgswap's.

The pipelines come from the shipped configs and run in one process on the same JPEG
files (500x375, quality 90, with 8-bit PNG masks of the same size as OpenCV writes them),
image by image in turn, so that a slow moment of the machine hits all. Reading the mask is
included where there is one. A round is one pass over all images; ratios are medians over
rounds.

    python tools/benchmarks/bench_views.py --json out.json

The rows:

- plain: upstream's config as it is. ``ratio_bgswap_over_plain`` is against this one.
- bgswap: the recipe.
- bgswap, upstream's ops: the recipe with ``fast=False``; against plain it shows what mask and
  swap cost beside upstream's photometric transforms.
- plain, our ops: no mask, no swap, but the recipe's faster transforms; against it, the same
  beside ours. What the recipe gains over plain, it gains by these transforms.
- torchvision.v2, albumentations: the plain views of image and mask in these libraries, where
  they are installed. Without a swap, which neither has.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from mmengine.utils import track_iter_progress
from other_libraries import LIBRARIES, Folder
from sklearn.datasets import load_sample_images

from bgaug_mm.datasets.fast_transforms import fast_transforms
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.view_pipelines import carry_mask, find_multi_view
from bgaug_mm.datasets.views import with_background_op
from bgaug_mm.engine.launch_config import load_config, set_data_root
from bgaug_mm.files import write_json

CONFIGS = Path(__file__).resolve().parents[2] / 'configs'
PLAIN = 'mmselfsup::selfsup/byol/byol_resnet50_8xb256-amp-accum2-coslr-200e_in1k.py'
HEIGHT, WIDTH = 375, 500


def make_images(root: Path, count: int) -> list[tuple[Path, Path]]:
    """Write an ImageNet-layout folder of photo crops with soft blob masks; (image, mask)."""
    rng = np.random.default_rng(0)
    photos = load_sample_images().images
    lines = []
    files = []
    for i in range(count):
        photo = photos[i % len(photos)]
        y = int(rng.integers(photo.shape[0] - HEIGHT + 1))
        x = int(rng.integers(photo.shape[1] - WIDTH + 1))
        image = photo[y : y + HEIGHT, x : x + WIDTH, ::-1]
        mask = np.zeros((HEIGHT, WIDTH), np.uint8)
        axes = tuple(int(v) for v in rng.uniform(0.15, 0.4, 2) * (WIDTH, HEIGHT))
        center = tuple(int(v) for v in rng.uniform(0.35, 0.65, 2) * (WIDTH, HEIGHT))
        cv2.ellipse(mask, center, axes, float(rng.uniform(0, 180)), 0, 360, 255, -1)
        mask = cv2.GaussianBlur(mask, (0, 0), 2.0)
        name = f'n{i % 4:08d}/{i:04d}'
        for folder, suffix, array in (('train', '.JPEG', image), ('train_masks', '.png', mask)):
            path = root / folder / (name + suffix)
            path.parent.mkdir(parents=True, exist_ok=True)
            encoded = cv2.imencode(
                '.jpg' if suffix == '.JPEG' else suffix, array, [cv2.IMWRITE_JPEG_QUALITY, 90]
            )[1]
            path.write_bytes(encoded.tobytes())
        files.append((root / f'train/{name}.JPEG', root / f'train_masks/{name}.png'))
        lines.append(f'{name}.JPEG {i % 4}')
    (root / 'meta').mkdir()
    (root / 'meta' / 'train.txt').write_text('\n'.join(lines) + '\n')
    return files


def build(cfg: Config, root: Path) -> Any:
    """The training dataset of a config, moved to ``root``."""
    set_data_root(cfg, str(root))
    init_default_scope(cfg.default_scope)
    return DATASETS.build(cfg.train_dataloader.dataset)


def with_upstream_ops(recipe: str) -> Config:
    """The recipe with upstream's photometric transforms and crop."""
    cfg = load_config(PLAIN)
    op = load_config(recipe).background_op
    cfg.train_dataloader = with_background_op(
        cfg.train_dataloader, op, scope=cfg.default_scope, fast=False
    )
    return cfg


def plain_with_our_ops() -> Config:
    """The plain recipe with our transforms, no mask, no background op."""
    cfg = load_config(PLAIN)
    pipeline = cfg.train_dataloader.dataset.pipeline
    multi_view = pipeline[find_multi_view(pipeline)]
    multi_view.type = 'bgaug_mm.MultiView'
    multi_view.transforms = [fast_transforms(carry_mask(view)) for view in multi_view.transforms]
    return cfg


def other_libraries(files: list[tuple[Path, Path]]) -> tuple[dict[str, Folder], dict[str, str]]:
    """The other libraries' pipelines; of those that are missing, the reason."""
    found: dict[str, Folder] = {}
    missing: dict[str, str] = {}
    for name, make in LIBRARIES.items():
        try:
            found[name] = Folder(files, make())
        except ImportError as error:
            missing[name] = str(error)
    return found, missing


def measure(datasets: dict[str, Any], rounds: int, count: int) -> dict[str, list[float]]:
    """Seconds per image and pipeline, one value a round (after a warm-up round)."""
    seconds: dict[str, list[float]] = {name: [] for name in datasets}
    for turn in track_iter_progress(list(range(rounds + 1)), file=sys.stderr):
        SAMPLE_STREAM.set(seed=0, epoch=turn)
        total = dict.fromkeys(datasets, 0.0)
        for i in range(count):
            # who goes first changes from image to image: the first one pays for
            # bringing the file into memory
            order = list(datasets) if (i + turn) % 2 else list(datasets)[::-1]
            for name in order:
                start = time.perf_counter()
                datasets[name][i]
                total[name] += time.perf_counter() - start
        for name in datasets:
            seconds[name].append(total[name] / count)
    return {name: values[1:] for name, values in seconds.items()}


def main() -> None:
    """Run the benchmark, print a table, write the JSON file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument('--json', metavar='FILE', help='write the figures to this file')
    parser.add_argument('--images', type=int, default=64, help='images a round (default: 64)')
    parser.add_argument('--rounds', type=int, default=15, help='rounds (default: 15)')
    parser.add_argument(
        '--config',
        default=str(CONFIGS / 'byol_bgswap.py'),
        help='the recipe to compare with the plain one (default: byol_bgswap.py)',
    )
    args = parser.parse_args()

    cv2.setNumThreads(0)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        files = make_images(root, args.images)
        others, missing = other_libraries(files)
        pipelines = {
            'plain': build(load_config(PLAIN), root),
            'bgswap': build(load_config(args.config), root),
            "bgswap, upstream's ops": build(with_upstream_ops(args.config), root),
            'plain, our ops': build(plain_with_our_ops(), root),
            **others,
        }
        seconds = measure(pipelines, args.rounds, args.images)

    def ratios(name: str, over: str) -> list[float]:
        return [b / a for a, b in zip(seconds[name], seconds[over], strict=True)]

    main_ratios = ratios('bgswap', 'plain')
    result = dict(
        ratio_bgswap_over_plain=round(statistics.median(main_ratios), 4),
        ratio_min=round(min(main_ratios), 4),
        ratio_max=round(max(main_ratios), 4),
        ratio_bgswap_over_plain_upstream_ops=round(
            statistics.median(ratios("bgswap, upstream's ops", 'plain')), 4
        ),
        ratio_bgswap_over_plain_our_ops=round(
            statistics.median(ratios('bgswap', 'plain, our ops')), 4
        ),
        rows=[
            dict(
                pipeline=name,
                images_per_s_per_core=round(1 / statistics.median(values), 2),
                ms_per_image=round(1e3 * statistics.median(values), 3),
                over_plain=round(statistics.median(ratios(name, 'plain')), 4),
            )
            for name, values in seconds.items()
        ],
        missing=missing,
        settings=dict(images=args.images, rounds=args.rounds, size=[HEIGHT, WIDTH]),
        versions=dict(
            python=platform.python_version(),
            torch=torch.__version__,
            mmcv=mmcv.__version__,
            numpy=np.__version__,
            opencv=cv2.__version__,
            cores=os.cpu_count(),
        ),
    )
    for row in result['rows']:
        print(
            f'{row["pipeline"]:>22}: {row["images_per_s_per_core"]:7.2f} images/s per core, '
            f'{row["ms_per_image"]:6.2f} ms an image, {row["over_plain"]:.2f} x plain'
        )
    for name, reason in missing.items():
        print(f'{name:>22}: left out ({reason})')
    print(
        f'bgswap / plain: {result["ratio_bgswap_over_plain"]:.3f} '
        f'(median of {args.rounds} rounds, {min(main_ratios):.3f} to {max(main_ratios):.3f})\n'
        "the same beside upstream's ops: "
        f'{result["ratio_bgswap_over_plain_upstream_ops"]:.3f}, beside ours: '
        f'{result["ratio_bgswap_over_plain_our_ops"]:.3f}'
    )
    if args.json:
        write_json(Path(args.json), result)


if __name__ == '__main__':
    main()
