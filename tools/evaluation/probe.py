#!/usr/bin/env python
"""Probe the frozen backbone of a checkpoint: k-NN and a linear probe.

The probes are fitted on the images of --train and tested on each --test, folders
``<class>/…`` (ImageNet's train, a set of a world) or lists ``name label``, whose labels are
indices into the sorted classes of --train. Accuracies are printed in percent, with 95 %
bootstrap intervals over the test images, and written as JSON, with the images that could not be
read; beside it, the answers image by image (.npz).

    python tools/evaluation/probe.py work_dirs/x/epoch_200.pth \\
        --train data/imagenet/train --test data/imagenet/val --size 224 --short 256 \\
        --probes knn linear --k 10 20 100 200 --banks work_dirs/x/banks

A validation set in one folder, as ImageNet's archive unpacks, has its labels in a list:

    python tools/evaluation/probe.py work_dirs/x/epoch_200.pth \\
        --train data/imagenet/train --test data/imagenet/meta/val.txt \\
        --test-root data/imagenet/val --size 224 --short 256
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import tempfile
from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.compat import CheckpointError  # noqa: E402
from bgaug_mm.evaluation import (  # noqa: E402
    FeatureBank,
    SetPredictions,
    bootstrap,
    extract_feature_bank,
    fit_linear_probe,
    fit_linear_probe_in_batches,
    knn_predict,
    list_labelled_images,
    load_frozen_backbone,
    save_linear_probe,
    save_predictions,
)
from bgaug_mm.evaluation.markdown_table import markdown_table  # noqa: E402
from bgaug_mm.evaluation.probes.feature_rows import read_rows  # noqa: E402
from bgaug_mm.failures import one_line  # noqa: E402
from bgaug_mm.files import write_json  # noqa: E402

PROBES = ('knn', 'linear')


def parse_args(argv: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('checkpoint', help='checkpoint of mmselfsup, mmpretrain or bgaug_mm')
    parser.add_argument('--config', help='its config; by default the one stored in it')
    parser.add_argument(
        '--which',
        default='auto',
        help='which of its networks: auto (the one named backbone), online, teacher (of DINO, '
        'BYOL, MoCo, …), ema, or a dotted name',
    )
    parser.add_argument('--train', required=True, help='images the probes are fitted on')
    parser.add_argument('--test', required=True, nargs='+', help='images they are tested on')
    parser.add_argument(
        '--root', help="folder that the names in lists are relative to (default: the list's)"
    )
    parser.add_argument('--test-root', help='the same for the lists of --test (default: --root)')
    parser.add_argument('--probes', nargs='+', choices=PROBES, default=list(PROBES))
    parser.add_argument('--k', type=int, nargs='+', default=[20], help='neighbours, one or more')
    parser.add_argument('--temperature', type=float, default=0.07, help='of the votes of k-NN')
    parser.add_argument('--l2', type=float, default=1e-3, help='penalty of the linear probe')
    parser.add_argument(
        '--solver',
        choices=['auto', 'lbfgs', 'batches'],
        default='auto',
        help='of the linear probe: L-BFGS on all features at once (double precision), or batches; '
        'auto: L-BFGS up to 2 GiB',
    )
    parser.add_argument('--epochs', type=int, default=30, help='of the solver in batches')
    parser.add_argument('--size', type=int, help='side of the images')
    parser.add_argument(
        '--short', type=int, help='resize the shorter side to this, then cut SIZE from the centre'
    )
    parser.add_argument(
        '--banks', help='folder to keep the features in: another run with it goes on or is quick'
    )
    parser.add_argument(
        '--overwrite', action='store_true', help='of banks made with something else'
    )
    parser.add_argument('--dtype', choices=['float32', 'float16'], default='float32')
    parser.add_argument('--batch-size', type=int, default=256, help='images a batch')
    parser.add_argument('--workers', type=int, default=4, help='threads that read images')
    parser.add_argument(
        '--save-probe', metavar='FILE',
        help='keep the linear probe (.npz): `evaluate.py --suite imagenet --probe` takes it',
    )  # fmt: skip
    parser.add_argument('--json', default='work_dirs/probe/probe.json', help='JSON file')
    parser.add_argument(
        '--device', default='cuda' if torch.cuda.is_available() else 'cpu', help='cpu, cuda, …'
    )
    args = parser.parse_args(argv)
    if args.save_probe and 'linear' not in args.probes:
        parser.error('--save-probe needs the linear probe: --probes linear')
    return args


def make_banks(
    args: argparse.Namespace, folder: Path
) -> tuple[FeatureBank, dict[str, FeatureBank]]:
    """Features of the training images, and of each set of test images by its name."""
    train = list_labelled_images(args.train, root=args.root)
    tests = {
        name: list_labelled_images(source, root=args.test_root or args.root, classes=train.classes)
        for name, source in zip(set_names(args.test), args.test, strict=True)
    }
    config = Config.fromfile(args.config) if args.config else None
    backbone = load_frozen_backbone(args.checkpoint, config, which=args.which)
    made_with = {'checkpoint_sha256': sha256(Path(args.checkpoint))}
    if args.which != 'auto':
        made_with['which'] = args.which
    if config is not None:
        made_with['config_sha256'] = hashlib.sha256(config.pretty_text.encode()).hexdigest()
    options: dict[str, Any] = {
        key: getattr(args, key)
        for key in ('size', 'short', 'dtype', 'batch_size', 'workers', 'device', 'overwrite')
    }
    options['made_with'] = made_with
    banks = {
        name: extract_feature_bank(backbone, images, folder / f'test_{name}', **options)
        for name, images in tests.items()
    }
    return extract_feature_bank(backbone, train, folder / 'train', **options), banks


def answers(
    args: argparse.Namespace, train: FeatureBank, tests: dict[str, FeatureBank]
) -> dict[str, dict[str, SetPredictions]]:
    """What the probes answer, by test set and probe."""
    given: dict[str, dict[str, SetPredictions]] = {name: {} for name in tests}
    if 'knn' in args.probes:
        for name, bank in tests.items():
            found = knn_predict(
                train.features,
                train.labels,
                bank.features,
                k=args.k,
                temperature=args.temperature,
                device=args.device,
            )
            for k, labels in found.items():
                given[name][f'knn_{k}'] = of_bank(bank, labels)
    if 'linear' in args.probes:
        doubles = 8 * train.features.size
        if args.solver == 'lbfgs' or (args.solver == 'auto' and doubles <= 2 * 1024**3):
            features = read_rows(train.features, slice(None)).float()
            probe = fit_linear_probe(features, torch.from_numpy(train.labels), l2=args.l2)
        else:
            probe = fit_linear_probe_in_batches(
                train.features, train.labels, l2=args.l2, epochs=args.epochs, device=args.device
            )
        if args.save_probe:
            save_linear_probe(args.save_probe, probe, train.classes)
        for name, bank in tests.items():
            parts = [
                probe.predict(read_rows(bank.features, slice(start, start + 8192)))
                for start in range(0, len(bank.features), 8192)
            ]
            given[name]['linear'] = of_bank(bank, torch.cat(parts))
    return given


def of_bank(bank: FeatureBank, predictions: torch.Tensor) -> SetPredictions:
    return SetPredictions(bank.names, bank.labels, predictions.numpy())


def set_names(sources: list[str]) -> list[str]:
    """The last parts of their paths, with as many before them as tell them apart."""
    parts = [Path(source).with_suffix('').parts[-4:] for source in sources]
    for count in range(1, 5):
        names = ['_'.join(part[-count:]).replace('/', '') for part in parts]
        if len({*names}) == len(names):
            return names
    raise ValueError(f'--test names a set twice: {", ".join(sources)}')


def sha256(path: Path) -> str:
    """Of a file's content."""
    digest = hashlib.sha256()
    with open(path, 'rb') as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def main(argv: list[str] | None = None) -> None:
    args = parse_args(argv)
    try:
        with tempfile.TemporaryDirectory() as temporary:
            train, tests = make_banks(args, Path(args.banks or temporary))
            given = answers(args, train, tests)
            failures = {
                name: bank.failures
                for name, bank in {'train': train, **tests}.items()
                if bank.failures
            }
            made_with = train.manifest['made_with']
            train_images = len(train.names)
            del train, tests  # their files are open
    # the last two are of networks: too little memory, or images of a size they do not take
    except (ValueError, OSError, CheckpointError, RuntimeError, AssertionError) as error:
        sys.exit(f'probe: {one_line(error)}')

    estimates = {
        name: {probe: bootstrap([one.correct]) for probe, one in row.items()}
        for name, row in given.items()
    }
    rows = [[name, *map(str, row.values())] for name, row in estimates.items()]
    print(markdown_table([['', *next(iter(estimates.values()))], *rows]))
    print(
        'Percent, with the 95 % bootstrap interval over the test images alone: it says nothing '
        'about another seed.'
    )
    for name, bad in failures.items():
        first, why = next(iter(bad.items()))
        print(f'{name}: {len(bad)} images could not be read, e.g. {first}: {why}')
    names = 'which train test root test_root k temperature l2 solver size short dtype'
    settings = {key: getattr(args, key) for key in names.split()}
    path = Path(args.json)
    answers_path = path.with_name(f'{path.stem}_answers.npz')
    save_predictions(
        answers_path,
        {f'{name}.{probe}': one for name, row in given.items() for probe, one in row.items()},
    )
    write_json(
        path,
        {
            'checkpoint': args.checkpoint,
            'checkpoint_sha256': made_with['checkpoint_sha256'],
            'settings': settings,
            'train_images': train_images,
            'accuracy': {
                name: {probe: one.mean for probe, one in row.items()}
                for name, row in estimates.items()
            },
            'intervals': {
                name: {probe: one.to_json() for probe, one in row.items()}
                for name, row in estimates.items()
            },
            'failures': failures,
        },
    )
    print(', '.join(map(str, [path, answers_path, *filter(None, [args.save_probe])])))


if __name__ == '__main__':
    main()
