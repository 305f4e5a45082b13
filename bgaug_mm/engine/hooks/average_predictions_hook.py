"""Averages a saliency network's predictions over its epochs into better labels."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import cv2
import mmcv
import numpy as np
import torch
from mmengine.dist import get_rank, get_world_size
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from numpy.typing import NDArray

from ...datasets.dataset_chain import image_root, leaves
from ...datasets.mask_store import MaskFolder, write_mask
from ...registry import HOOKS
from ..submodules import unwrapped


@HOOKS.register_module()
class AveragePredictionsHook(Hook):
    """Write the moving average of the predictions for the training images as masks.

    After each epoch the network predicts every training image, without augmentation, and
    ``average ← momentum · average + (1 - momentum) · prediction``. After the last epoch the
    averages are written as PNGs that mirror the image tree, ``OUT/<path without
    ending>.png``: the labels of the next round. What an epoch got wrong on one image, for that
    is where its label was wrong, the others do not repeat. Nguyen et al., "DeepUSPS", NeurIPS
    2019, section 3.2, with momentum 0.7 there; that the average starts at the first
    prediction, not at 0, and at which epoch, is our choice.

    The averages of the last two epochs lie in the work dir as one file of bytes each, so that
    a resumed run continues exactly (what bytes lose by rounding stays below 2/255). With
    several processes each predicts every n-th image; a run resumes with as many processes.

    Args:
        size (int): Side of the square in pixels to which images are scaled for the network,
            and in which averages are kept: that of training.
        momentum (float): Share of the old average, in [0, 1). Defaults to 0.7.
        begin (int): First epoch, from 0, whose predictions count. Defaults to 0.
        batch_size (int): Images predicted at once. Defaults to 32.
        out (str): Folder of the masks; a relative one is below the work dir. Defaults to
            'average'.

    Raises:
        ValueError: If an option is out of range; at the start of training, if the averages
            that a resumed run needs are missing or of other images.
    """

    # before CheckpointHook (VERY_LOW): a checkpoint never lies there without its averages
    priority = 'NORMAL'

    def __init__(
        self,
        *,
        size: int,
        momentum: float = 0.7,
        begin: int = 0,
        batch_size: int = 32,
        out: str = 'average',
    ) -> None:
        for name, value, least in (
            ('size', size, 1),
            ('begin', begin, 0),
            ('batch_size', batch_size, 1),
        ):
            if not isinstance(value, int) or value < least:
                raise ValueError(f'`{name}` must be an integer from {least}, but got {value!r}')
        if not 0 <= momentum < 1:
            raise ValueError(f'`momentum` must be in [0, 1), but got {momentum}')
        self.size = size
        self.momentum = momentum
        self.begin = begin
        self.batch_size = batch_size
        self.out = out

    def before_train(self, runner: Runner) -> None:
        """Find this process' images, and a resumed run's averages."""
        dataset = runner.train_dataloader.dataset
        self._paths = [
            str(dataset.get_data_info(index)['img_path'])
            for index in range(get_rank(), len(dataset), get_world_size())
        ]
        self._folder = MaskFolder(
            image_root(next(leaves(dataset))), os.path.join(runner.work_dir, self.out)
        )
        self._average: NDArray[np.uint8] | None = None
        if runner.epoch > self.begin:
            self._average = self._read(self._state(runner, runner.epoch))

    def after_train_epoch(self, runner: Runner) -> None:
        """Predict and average; keep the state; after the last epoch write the masks."""
        if runner.epoch < self.begin:
            return
        predicted = self._predict(runner)
        if self._average is None:
            self._average = predicted
        else:
            mixed = self.momentum * self._average + (1 - self.momentum) * predicted
            self._average = np.rint(mixed).astype(np.uint8)
        epoch = runner.epoch + 1  # finished ones, as in the checkpoint
        _write(self._state(runner, epoch), self._average)
        self._state(runner, epoch - 2).unlink(missing_ok=True)

    def after_train(self, runner: Runner) -> None:
        """Write the averages as masks of the images' sizes."""
        if self._average is None:
            return
        for path, average in zip(self._paths, self._average, strict=True):
            height, width = mmcv.imread(path).shape[:2]
            mask = cv2.resize(average, (width, height), interpolation=cv2.INTER_LINEAR)
            write_mask(str(self._folder.locate(path)), mask)
        print_log(
            f'AveragePredictionsHook: {len(self._paths)} masks below {self._folder.root}.',
            logger='current',
        )

    def _predict(self, runner: Runner) -> NDArray[np.uint8]:
        """(N, size, size) of this process' images."""
        model: Any = unwrapped(runner.model)
        training = model.training
        model.eval()
        result = np.empty((len(self._paths), self.size, self.size), np.uint8)
        with torch.no_grad():
            for start in range(0, len(self._paths), self.batch_size):
                paths = self._paths[start : start + self.batch_size]
                images = np.stack([self._image(path) for path in paths])
                batch = torch.from_numpy(images).permute(0, 3, 1, 2)
                batch = batch.to(next(model.parameters()).device)
                saliency = model.predict(batch).mul(255).round()
                result[start : start + len(paths)] = saliency.byte().cpu().numpy()
        model.train(training)
        return result

    def _image(self, path: str) -> NDArray[np.uint8]:
        """(size, size, 3) BGR, as mmcv's LoadImageFromFile gives to training."""
        image: NDArray[np.uint8] = mmcv.imread(path)
        smaller = max(image.shape[:2]) > self.size
        how = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, (self.size, self.size), interpolation=how), np.uint8)

    def _state(self, runner: Runner, epoch: int) -> Path:
        name = f'average_epoch_{epoch}_rank_{get_rank()}_of_{get_world_size()}.npy'
        return Path(runner.work_dir) / name

    def _read(self, path: Path) -> NDArray[np.uint8]:
        shape = (len(self._paths), self.size, self.size)
        try:
            average: NDArray[np.uint8] = np.load(path, allow_pickle=False)
        except (OSError, ValueError) as error:
            raise ValueError(
                f'AveragePredictionsHook cannot resume: {path} holds no averages ({error}); train '
                'from the beginning, or with as many processes as before'
            ) from error
        if average.shape != shape or average.dtype != np.uint8:
            raise ValueError(
                f'AveragePredictionsHook cannot resume: {path} has {average.shape} '
                f'{average.dtype}, but these images need {shape} uint8'
            )
        return average


def _write(path: Path, average: NDArray[np.uint8]) -> None:
    temporary = path.with_suffix('.part')
    with open(temporary, 'wb') as file:
        np.save(file, average)
    os.replace(temporary, path)
