"""A learned saliency network as an ONNX file."""

from __future__ import annotations

import copy
import inspect
import io
import os
import tempfile
import warnings
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from bgaug_mm.environment import require_saliency
from bgaug_mm.files import write_bytes


class _Probabilities(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, image: Tensor) -> Tensor:
        return self.network(image).sigmoid()


def export_onnx(
    network: nn.Module,
    path: str | os.PathLike[str],
    *,
    size: int = 128,
    opset: int = 17,
    tolerance: float = 1e-4,
) -> float:
    """Write a saliency network as ONNX, in the convention of U²-Net's exports.

    Input ``image`` (N, 3, size, size): RGB in [0, 1], normalised by ImageNet's mean and
    standard deviation; output ``saliency`` (N, 1, size, size) in [0, 1]. N is free. The file
    is run by ONNX Runtime on noise and compared before it is put in place.

    Args:
        network (Module): Maps such images to logits (N, 1, size, size).
        path (str | PathLike): The file.
        size (int): Side in pixels. Defaults to 128.
        opset (int): Defaults to 17.
        tolerance (float): Largest difference from torch's saliency. Defaults to 1e-4.

    Returns:
        float: The largest difference found.

    Raises:
        ImportError: If onnx or onnxruntime is not installed.
        ValueError: If the outputs differ by more; nothing is written then.
    """
    require_saliency('onnx', 'onnxruntime')
    if size < 1:
        raise ValueError(f'`size` must be at least 1, but got {size}')
    module = _Probabilities(copy.deepcopy(network)).eval().cpu()
    axes = {'image': {0: 'n'}, 'saliency': {0: 'n'}}
    generator = torch.Generator().manual_seed(0)
    example = torch.randn(2, 3, size, size, generator=generator)
    # the exporter that every torch has; older ones know no other
    known = inspect.signature(torch.onnx.export).parameters
    options: dict[str, Any] = {'dynamo': False} if 'dynamo' in known else {}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter('ignore')  # that this exporter is the old one
        file = Path(folder) / 'network.onnx'
        with redirect_stdout(io.StringIO()):  # torch 2.0 prints a report of no errors
            torch.onnx.export(
                module, (example,), str(file), input_names=['image'], output_names=['saliency'],
                dynamic_axes=axes, opset_version=opset, **options,
            )  # fmt: skip
        content = file.read_bytes()
    difference = _largest_difference(module, content, size)
    if not difference <= tolerance:
        raise ValueError(f'the exported network differs from torch by {difference:.2g}')
    write_bytes(Path(path), content)
    return difference


def _largest_difference(module: nn.Module, content: bytes, size: int) -> float:
    """Between torch and ONNX Runtime, on another number of images than was exported."""
    import onnxruntime

    session = onnxruntime.InferenceSession(content, providers=['CPUExecutionProvider'])
    images = torch.randn(3, 3, size, size, generator=torch.Generator().manual_seed(1))
    (found,) = session.run(None, {'image': images.numpy()})
    with torch.no_grad():
        expected = module(images).numpy()
    return float(np.abs(found - expected).max())
