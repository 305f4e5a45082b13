"""Frozen features of a checkpoint's backbone."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import torch
from mmengine.config import Config
from mmengine.logging import MMLogger
from mmengine.registry import MODELS, DefaultScope
from numpy.typing import NDArray
from torch import Tensor, nn

from ...checkpoints import load_backbone_weights, read_checkpoint, stored_config
from ...device import usable_device
from ...engine.launch_errors import explain
from ...saliency import reading
from ..robustness.image_batches import centre_view

Image = NDArray[np.uint8]


class FrozenBackbone(nn.Module):
    """A backbone with its input normalisation and global average pooling.

    Args:
        backbone (nn.Module): Maps (N, 3, H, W) to features: a tensor, or a
            (nested) tuple whose last entry is taken.
        mean (Sequence[float]): Channel means subtracted, on the 0..255 scale, in
            the backbone's channel order.
        std (Sequence[float]): Channel standard deviations divided by.
        to_rgb (bool): Whether the backbone takes RGB.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        backbone: nn.Module,
        *,
        mean: Sequence[float] = (0.0, 0.0, 0.0),
        std: Sequence[float] = (1.0, 1.0, 1.0),
        to_rgb: bool = True,
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.to_rgb = to_rgb
        self.register_buffer('mean', torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer('std', torch.tensor(std).view(1, -1, 1, 1))
        self.eval().requires_grad_(False)

    def forward(self, images: Tensor) -> Tensor:
        """Features (N, D), float32, of BGR images (N, 3, H, W) in 0..255, uint8 or floating."""
        inputs = images.flip(1) if self.to_rgb else images
        features = self.backbone((inputs.float() - self.mean) / self.std)
        while isinstance(features, (tuple, list)):
            features = features[-1]
        if features.ndim == 4:  # a map (N, D, h, w)
            features = features.mean((2, 3))
        elif features.ndim == 3:  # tokens (N, L, D)
            features = features.mean(1)
        return features.float()


def build_frozen_backbone(config: Config, *, seed: int | None = None) -> FrozenBackbone:
    """Build the backbone of a config's model, with the model's normalisation.

    The whole model is built, as the Runner does it, and its backbone taken out:
    so scopes resolve as they do in training.

    Args:
        config (Config): A config of mmselfsup, mmpretrain, mmcls or ours.
        seed (int, optional): Initialise the weights from this seed; the global
            random state is left as it was. Defaults to None: weights are
            whatever the constructors leave, to be loaded.

    Raises:
        ValueError: As :func:`build_model`, or if the model has no backbone.
    """
    model, normalisation = build_model(config, seed=seed)
    if not isinstance(getattr(model, 'backbone', None), nn.Module):
        raise ValueError(f'the model {type(model).__name__} has no `backbone`')
    return FrozenBackbone(model.backbone, **normalisation)


def build_model(config: Config, *, seed: int | None = None) -> tuple[Any, dict[str, Any]]:
    """The model of a config; and ``mean``, ``std`` and ``to_rgb`` of its preprocessor.

    Args:
        config (Config): See :func:`build_frozen_backbone`.
        seed (int, optional): The same.

    Raises:
        ValueError: Naming the config's file (or the checkpoint it is stored in): it has no
            model, or one that cannot be built: its type is not registered (near names are
            listed), or its class does not take the arguments.
    """
    where = config.filename or 'the config'
    if not isinstance(config.get('model'), Mapping):
        raise ValueError(f'{where} has no `model`')
    settings = _plain(config.model)
    if config.get('data_preprocessor'):
        settings.setdefault('data_preprocessor', _plain(config.data_preprocessor))
    preprocessor = dict(settings.get('data_preprocessor') or {})

    with torch.random.fork_rng(devices=[]):
        if seed is not None:
            torch.manual_seed(seed)
        with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmengine')):
            try:
                model = MODELS.build(settings)
            except Exception as error:  # a constructor of any library may raise anything
                raise ValueError(
                    f'{where}: its model {settings.get("type")} cannot be built: {_why(error)}'
                ) from error
        if seed is not None:
            with _quiet():
                model.init_weights()
    return model, {
        'mean': preprocessor.get('mean') or [0.0] * 3,
        'std': preprocessor.get('std') or [1.0] * 3,
        # mmengine and mmselfsup say bgr_to_rgb, mmcls and mmpretrain to_rgb
        'to_rgb': any(preprocessor.get(key) for key in ('bgr_to_rgb', 'to_rgb')),
    }


def load_frozen_backbone(
    checkpoint: str | os.PathLike[str], config: Config | None = None, *, which: str = 'auto'
) -> FrozenBackbone:
    """Build and load the backbone of a training checkpoint.

    Args:
        checkpoint (str | PathLike): A checkpoint of mmengine's, or a file of
            backbone weights alone (then ``config`` is needed).
        config (Config, optional): Its config. Defaults to None: the one stored
            in the checkpoint.
        which (str): Which of its networks: ``'auto'``, ``'online'``, ``'teacher'``, …, see
            :func:`~bgaug_mm.checkpoints.pick_backbone`. Defaults to 'auto'.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If the checkpoint has no usable config and none is given, it has no such
            network, its model cannot be built, or its weights do not fit the backbone.
    """
    content = read_checkpoint(checkpoint)
    if config is None:
        config = stored_config(content, checkpoint)
    frozen = build_frozen_backbone(config)
    load_backbone_weights(frozen.backbone, content, str(checkpoint), which=which)
    return frozen


def extract_features(
    model: nn.Module,
    files: Sequence[str | os.PathLike[str]],
    *,
    size: int | None = None,
    short: int | None = None,
    batch_size: int = 256,
    device: str | torch.device = 'cpu',
) -> Tensor:
    """Features of image files.

    Args:
        model (nn.Module): Maps (N, 3, H, W) uint8 BGR to (N, D).
        files (Sequence[str | PathLike]): Image files; at least one.
        size (int, optional): See :func:`read_image`. Defaults to None, as they are:
            then all must have the same size.
        short (int, optional): See :func:`read_image`.
        batch_size (int): Images a batch. Defaults to 256.
        device (str | torch.device): Where to compute. Defaults to ``'cpu'``.

    Returns:
        Tensor: (len(files), D), float32, on the CPU.

    Raises:
        ValueError: For an unreadable image, images of different sizes, or a device that is
            not there.
    """
    device = usable_device(device)
    model = model.to(device).eval()
    parts = []
    for start in range(0, len(files), batch_size):
        some = files[start : start + batch_size]
        images = [read_image(path, size=size, short=short) for path in some]
        parts.append(features_of_images(model, images, device=device))
    return torch.cat(parts)


def features_of_images(
    model: nn.Module, images: Sequence[Image], *, device: str | torch.device = 'cpu'
) -> Tensor:
    """Features (N, D), float32, on the CPU, of one batch of BGR images (H, W, 3) uint8.

    Raises:
        ValueError: For images of different sizes.
    """
    shapes = {image.shape for image in images}
    if len(shapes) > 1:
        raise ValueError(f'images of different sizes {sorted(shapes)}; give a `size`')
    batch = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    with torch.inference_mode():
        return model(batch.to(device)).float().cpu()


def read_image(
    path: str | os.PathLike[str], *, size: int | None = None, short: int | None = None
) -> Image:
    """An image file as BGR (H, W, 3) uint8.

    Args:
        path (str | PathLike): The file.
        size (int, optional): Side to which it is resized, at least 1, whatever its shape; with
            `short` the side that is cut out. Defaults to None, as it is.
        short (int, optional): Resize to this shorter side, keeping the shape, and cut
            the central `size` x `size`, as the robustness sets are shown
            (:func:`~bgaug_mm.evaluation.robustness.image_batches.centre_view`): 256 and 224
            is ImageNet's usual test crop. Defaults to None.

    Raises:
        ValueError: If it cannot be read, as :func:`bgaug_mm.saliency.reading.read_image`
            says, or for `size` below 1 or `short` below `size`.
    """
    if size is not None and size < 1:
        raise ValueError(f'`size` must be at least 1, but got {size}')
    if short is not None and (size is None or short < size):
        raise ValueError(f'`short` needs a `size` of at most it, but got {short} and {size}')
    image = reading.read_image(os.fspath(path))[..., ::-1]
    height, width = image.shape[:2]
    if short is not None and size is not None:
        image = centre_view(image, short=short, crop=size)
    elif size is not None and (height, width) != (size, size):
        shrinks = min(height, width) > size
        interpolation = cv2.INTER_AREA if shrinks else cv2.INTER_CUBIC
        image = np.asarray(
            cv2.resize(np.ascontiguousarray(image), (size, size), interpolation=interpolation),
            np.uint8,
        )
    return np.ascontiguousarray(image, np.uint8)


def _why(error: Exception) -> str:
    """What a constructor stumbled over, in one line, and what to do about an unknown type."""
    text = explain(error) or f'{type(error).__name__}: {error}'
    if isinstance(error, KeyError) and 'registry' in text:
        text += (
            ' A type of your own: list its module in the `custom_imports` of the config, and give '
            'that file with --config; a config stored in a checkpoint imports nothing.'
        )
    return ' '.join(text.split())


def _plain(value: Any) -> Any:
    """Copy to builtin containers (building may write into them), without pretrained weights."""
    if isinstance(value, Mapping):
        return {
            key: _plain(item)
            for key, item in value.items()
            if key != 'pretrained' and not (key == 'init_cfg' and 'checkpoint' in str(item))
        }
    if isinstance(value, (list, tuple)):
        return type(value)(_plain(item) for item in value)
    return value


@contextmanager
def _quiet() -> Iterator[None]:
    """Without mmengine's log line for each initialised parameter."""
    logger = MMLogger.get_current_instance()
    level = logger.level
    logger.setLevel('WARNING')
    try:
        yield
    finally:
        logger.setLevel(level)
