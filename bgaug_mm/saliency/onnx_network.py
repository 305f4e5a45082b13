"""Any salient-object network in an ONNX file."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from bgaug_mm.environment import require_saliency
from bgaug_mm.failures import one_line
from bgaug_mm.registry import SALIENCY_ESTIMATORS

from .base import Image, Saliency, SaliencyEstimator, rescale, restore

Images = NDArray[np.float32]


@SALIENCY_ESTIMATORS.register_module(name=['OnnxNetwork', 'onnx'])
class OnnxNetwork(SaliencyEstimator):
    """A U²-Net, BASNet, IS-Net or own network, run by ONNX Runtime.

    The image is brought to the network's square input (area average when it shrinks,
    bilinear when it grows; the aspect ratio is not kept, as those networks were trained),
    divided, normalised, and the chosen output is brought back. U²-Net and BASNet take
    ``divisor=None`` with the default mean and std; IS-Net takes ``mean=(0.5,) * 3,
    std=(1.0,) * 3``. Networks of others are usually trained with labels.

    Args:
        path (str | PathLike): The file; weights beside it (external data) are found.
        input_size (int, optional): Side in pixels of the network's input. Defaults to
            None: the file's, or 320 if the file leaves it open.
        divisor (float, optional): What the uint8 values are divided by first. None: each
            image's own maximum. Defaults to 255.
        mean (Sequence[float]): Subtracted then, for R, G, B. Defaults to ImageNet's.
        std (Sequence[float]): Divided by then. Defaults to ImageNet's.
        output (int): Which output is the map, (N, 1, h, w) or (N, h, w). Defaults to 0,
            the fused one of U²-Net and BASNet.
        stretch (bool): Whether each map is stretched to [0, 1], as U²-Net does. If not,
            the output must be in [0, 1]. Defaults to True.
        batch_size (int): Images that the network takes at once, where the file allows
            more than one. Defaults to 8.
        threads (int): Threads of one process; 0: all cores. Defaults to 1.
        device (str): 'auto' (CUDA if ONNX Runtime has it), 'cpu', 'cuda' or 'cuda:1'.
            Defaults to 'auto'.
        sha256 (str, optional): Digest that the file must have. Defaults to None: any.

    Raises:
        FileNotFoundError: If there is no such file.
        ValueError: If it is not a network with one RGB input, or has another digest.
        ImportError: If ONNX Runtime is not installed, with the command that installs it.
    """

    requires = ('onnxruntime',)

    def __init__(
        self,
        *,
        path: str | os.PathLike[str],
        input_size: int | None = None,
        divisor: float | None = 255.0,
        mean: Sequence[float] = (0.485, 0.456, 0.406),
        std: Sequence[float] = (0.229, 0.224, 0.225),
        output: int = 0,
        stretch: bool = True,
        batch_size: int = 8,
        threads: int = 1,
        device: str = 'auto',
        sha256: str | None = None,
    ) -> None:
        super().__init__()
        if divisor is not None and divisor <= 0:
            raise ValueError(f'`divisor` must be positive or None, but got {divisor}')
        for name, values in (('mean', mean), ('std', std)):
            if len(values) != 3 or (name == 'std' and min(values) <= 0):
                raise ValueError(f'`{name}` must be three numbers (std: > 0), but got {values}')
        for name, number, least in (('batch_size', batch_size, 1), ('threads', threads, 0)):
            if number < least:
                raise ValueError(f'`{name}` must be at least {least}, but got {number}')
        require_saliency(*self.requires)
        self.path = Path(path)
        self.divisor = divisor
        self.mean = np.array(mean, np.float32)
        self.std = np.array(std, np.float32)
        self.stretch = stretch
        self.session = _open(self.path, threads, device, sha256)
        fixed_batch, self.input_size = self._input_shape(input_size)
        self.batch_size = fixed_batch or batch_size
        self.pad = fixed_batch is not None
        names = [item.name for item in self.session.get_outputs()]
        if not 0 <= output < len(names):
            raise ValueError(
                f'`output` must be in 0..{len(names) - 1} for {path}, but got {output}'
            )
        self.output = names[output]

    def estimate(self, image: Image) -> Saliency:
        return self.estimate_batch([image])[0]

    def estimate_batch(self, images: Sequence[Image]) -> list[NDArray[Any]]:
        maps: list[NDArray[Any]] = []
        for start in range(0, len(images), self.batch_size):
            chunk = images[start : start + self.batch_size]
            inputs = np.stack([self.prepare(image) for image in chunk])
            if self.pad and len(chunk) < self.batch_size:  # the file takes no fewer
                missing = self.batch_size - len(chunk)
                inputs = np.concatenate([inputs, np.repeat(inputs[-1:], missing, axis=0)])
            outputs = self._run(inputs)[: len(chunk)]
            maps += [restore(m, i.shape[:2]) for m, i in zip(outputs, chunk, strict=True)]
        return maps

    def prepare(self, image: Image) -> Images:
        """The network's input (3, side, side) for an image."""
        side = self.input_size
        shrinks = max(image.shape[:2]) > side
        method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        values = cv2.resize(image, (side, side), interpolation=method).astype(np.float32)
        values /= max(float(values.max()), 1e-6) if self.divisor is None else self.divisor
        return np.ascontiguousarray(((values - self.mean) / self.std).transpose(2, 0, 1))

    def _run(self, inputs: Images) -> list[NDArray[Any]]:
        name = self.session.get_inputs()[0].name
        (result,) = self.session.run([self.output], {name: inputs})
        maps = np.asarray(result, dtype=np.float32)
        if maps.ndim == 4 and maps.shape[1] == 1:
            maps = maps[:, 0]
        if maps.ndim != 3 or len(maps) != len(inputs) or not np.isfinite(maps).all():
            raise ValueError(
                f'{self.path}: the output {self.output!r} has shape {np.shape(result)} or is not '
                f'finite; needed are {len(inputs)} maps (N, 1, h, w). Choose another `output`'
            )
        if self.stretch:
            return [rescale(saliency) for saliency in maps]
        if maps.min() < 0 or maps.max() > 1:
            raise ValueError(
                f'{self.path}: the output {self.output!r} lies in [{maps.min():.3g}, '
                f'{maps.max():.3g}], not in [0, 1]; set `stretch=True`'
            )
        return list(maps)

    def _input_shape(self, input_size: int | None) -> tuple[int | None, int]:
        """Fixed number of images or None, and the side of the input."""
        inputs = self.session.get_inputs()
        shape = inputs[0].shape if len(inputs) == 1 else []
        # axes left open are None or have a name
        channels = shape[1] if len(shape) == 4 else 0
        wrong = isinstance(channels, int) and channels != 3
        if wrong or inputs[0].type != 'tensor(float)':
            found = ', '.join(f'{item.name} {item.type} {item.shape}' for item in inputs)
            raise ValueError(
                f'{self.path} must have one float32 input (N, 3, H, W), but has {found or "none"}'
            )
        batch, _, height, width = (side if isinstance(side, int) else None for side in shape)
        sides = {side for side in (height, width) if side is not None}
        if len(sides) > 1:
            raise ValueError(f'{self.path} takes {height}×{width} pixels, not a square')
        if input_size is not None and sides - {input_size}:
            raise ValueError(
                f'{self.path} takes images of side {sides.pop()}, but `input_size` is {input_size}'
            )
        side = sides.pop() if sides else 320 if input_size is None else input_size
        if side < 1:
            raise ValueError(f'`input_size` must be at least 1, but got {side}')
        return batch, side


def _open(path: Path, threads: int, device: str, sha256: str | None) -> Any:
    """An inference session; errors name the file."""
    if not path.is_file():
        raise FileNotFoundError(f'no network {path}')
    if sha256 is not None:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if found != sha256.lower():
            raise ValueError(f'{path} has the sha256 {found}, but {sha256} is expected')
    providers = _providers(device)
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3  # errors; warnings speak of unused initialisers
    try:
        return onnxruntime.InferenceSession(str(path), options, providers=providers)
    except Exception as error:  # ONNX Runtime's errors share no base but Exception
        raise ValueError(
            f'{path} is no network that ONNX Runtime can run: {one_line(error)}'
        ) from error


def _providers(device: str) -> list[Any]:
    import onnxruntime

    kind, _, index = device.partition(':')
    if kind not in ('auto', 'cpu', 'cuda') or (index and not (kind == 'cuda' and index.isdigit())):
        raise ValueError(f"`device` must be 'auto', 'cpu', 'cuda' or 'cuda:N', but got {device!r}")
    has_cuda = 'CUDAExecutionProvider' in onnxruntime.get_available_providers()
    if kind == 'cuda' and not has_cuda:
        raise ValueError(
            '`device` is cuda, but the installed ONNX Runtime runs on the CPU alone; install '
            "onnxruntime-gpu in place of onnxruntime, or use 'cpu'"
        )
    cpu = 'CPUExecutionProvider'
    if kind == 'cpu' or not has_cuda:
        return [cpu]
    return [('CUDAExecutionProvider', {'device_id': int(index or 0)}), cpu]
