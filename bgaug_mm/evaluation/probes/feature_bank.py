"""Features of many images in a folder: made once, resumable, read memory-mapped.

The folder holds ``features.npy`` (N, D), ``labels.npy`` (N,), ``images.json`` (the N
names) and ``manifest.json``, which comes last: a folder without it is unfinished.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from ...device import usable_device
from ...files import lock
from ...saliency.progress import Progress
from ...saliency.reading import ImageError
from ..networks.features import Image, features_of_images, read_image
from .labelled_images import LabelledImages
from .unfinished_bank import UnfinishedBank, where_it_stands

_FORMAT = 2
_DTYPES = ('float16', 'float32')


class FeatureBank(NamedTuple):
    """A finished bank.

    Attributes:
        features: (N, D), float16 or float32, memory-mapped, read-only.
        labels: (N,) int64, indices into `classes`.
        names: Paths of the N images relative to the images' folder.
        classes: Their names.
        manifest: What it was made with, and ``failures``: the images that could not be
            read, by name, with the reason. They have no row.
    """

    features: NDArray[Any]
    labels: NDArray[np.int64]
    names: list[str]
    classes: list[str]
    manifest: dict[str, Any]

    @property
    def failures(self) -> dict[str, str]:
        """Images that could not be read, and why."""
        return dict(self.manifest['failures'])


def open_feature_bank(folder: str | os.PathLike[str]) -> FeatureBank:
    """Read a finished bank.

    Raises:
        ValueError: If there is none, it is unfinished, or damaged.
    """
    folder = Path(folder)
    if not (folder / 'manifest.json').is_file():
        unfinished = (folder / 'progress.json').is_file()
        raise ValueError(
            f'{folder} holds no finished bank of features'
            + (': the extraction was interrupted; start it again' if unfinished else '')
        )
    try:
        manifest = json.loads((folder / 'manifest.json').read_text(encoding='utf-8'))
        names = json.loads((folder / 'images.json').read_text(encoding='utf-8'))
        features = np.load(folder / 'features.npy', mmap_mode='r', allow_pickle=False)
        labels = np.load(folder / 'labels.npy', allow_pickle=False)
        if not len(features) == len(labels) == len(names) == manifest['rows']:
            raise ValueError('its files do not have the same number of images')
        return FeatureBank(features, labels, names, manifest['made_with']['classes'], manifest)
    except (ValueError, KeyError, TypeError, EOFError, OSError) as error:
        raise ValueError(f'the bank of features {folder} is damaged: {error}') from error


def extract_feature_bank(
    model: nn.Module,
    images: LabelledImages,
    folder: str | os.PathLike[str],
    *,
    made_with: Mapping[str, Any] | None = None,
    size: int | None = None,
    short: int | None = None,
    dtype: str = 'float32',
    batch_size: int = 256,
    workers: int = 4,
    device: str | torch.device = 'cpu',
    overwrite: bool = False,
) -> FeatureBank:
    """Make a bank, go on with an interrupted one, or open the finished one.

    An image that cannot be read is noted in the manifest, and the run goes on. Files are
    whole or not there; what is lost by an interruption is a few batches.

    Args:
        model (nn.Module): Maps (N, 3, H, W) uint8 BGR to (N, D).
        images (LabelledImages): At least one.
        folder (str | PathLike): Of the bank.
        made_with (Mapping[str, Any], optional): What else decides the features, such as
            ``{'checkpoint_sha256': …}``: plain values. Defaults to None.
        size (int, optional): See :func:`~bgaug_mm.evaluation.networks.features.read_image`.
        short (int, optional): See there.
        dtype (str): ``'float32'`` or ``'float16'`` (half the size). Defaults to 'float32'.
        batch_size (int): Images a batch. Defaults to 256.
        workers (int): Threads that read images. Defaults to 4.
        device (str | torch.device): Where to compute. Defaults to 'cpu'.
        overwrite (bool): Throw away a bank made with something else. Defaults to False.

    Raises:
        ValueError: If the folder's bank was made with something else (named), another
            process writes it, no image can be read, their sizes differ, the features are
            not finite, an option is out of range, or the device is not there.
    """
    device = usable_device(device)
    if dtype not in _DTYPES:
        raise ValueError(f'`dtype` must be one of {_DTYPES}, but got {dtype!r}')
    for name, value in (('batch_size', batch_size), ('workers', workers)):
        if value < 1:
            raise ValueError(f'`{name}` must be at least 1, but got {value}')
    if not images.names:
        raise ValueError('there are no images to extract features of')
    folder = Path(folder)
    settings = {
        'format': _FORMAT,
        **(made_with or {}),
        'size': size,
        'short': short,
        'dtype': dtype,
        'classes': images.classes,
        'images': len(images.names),
        'images_sha256': _digest(images),
    }
    settings = json.loads(json.dumps(settings))  # as they are read back
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / '.lock', 'ab') as locked:
        if not lock(locked):
            raise ValueError(f'another process writes the bank of features {folder}')
        state = where_it_stands(folder, settings, overwrite)
        if state is None:
            return open_feature_bank(folder)
        with closing(UnfinishedBank(folder, settings, state)) as bank:
            _extract(model.to(device).eval(), images, bank, batch_size, workers, device)
            bank.finish(images)
    return open_feature_bank(folder)


def _extract(
    model: nn.Module,
    images: LabelledImages,
    bank: UnfinishedBank,
    batch_size: int,
    workers: int,
    device: str | torch.device,
) -> None:
    """Append what the bank lacks; a batch is read while the one before is computed."""
    settings, files = bank.settings, images.files
    progress = Progress(len(files) - bank.done, name='features', unit='images')

    def read(path: Path) -> Image | ImageError:
        try:
            return read_image(path, size=settings['size'], short=settings['short'])
        except ImageError as error:
            return error

    with ThreadPoolExecutor(workers) as pool:

        def ahead(start: int) -> list[Future[Image | ImageError]]:
            return [pool.submit(read, path) for path in files[start : start + batch_size]]

        reading = ahead(bank.done)
        while reading:
            batch = [future.result() for future in reading]
            reading = ahead(bank.done + len(batch))
            good = [one for one in batch if not isinstance(one, ImageError)]
            names = images.names[bank.done : bank.done + len(batch)]
            features = features_of_images(model, good, device=device).numpy() if good else None
            bank.append(
                features,
                names,
                [one.reason if isinstance(one, ImageError) else None for one in batch],
            )
            progress.advance(len(batch))
    progress.close()


def _digest(images: LabelledImages) -> str:
    """SHA-256 of the names, labels, sizes and times of the files."""
    digest = hashlib.sha256()
    for name, label, file in zip(images.names, images.labels, images.files, strict=True):
        try:
            status = file.stat()
            told = f'{status.st_size} {status.st_mtime_ns}'
        except OSError:
            told = 'missing'
        line = json.dumps([name, label, told])
        digest.update(line.encode())
    return digest.hexdigest()
