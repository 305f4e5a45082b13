"""Batches of random views."""

from collections.abc import Callable

import numpy as np
import pytest
import torch


def random_batch(rng: np.random.Generator, count: int, height: int, width: int):
    """(B, H, W, 3) pixels and (B, H, W) masks: boxes of soft values, some empty or full."""
    pixels = rng.integers(0, 256, (count, height, width, 3), np.uint8)
    masks = np.zeros((count, height, width), np.uint8)
    for mask in masks:
        kind = rng.random()
        if kind < 0.1:
            continue
        if kind < 0.2:
            mask[:] = 255
            continue
        y1, y2 = np.sort(rng.integers(0, height + 1, 2))
        x1, x2 = np.sort(rng.integers(0, width + 1, 2))
        low = rng.choice([1, 60, 255])
        mask[y1:y2, x1:x2] = rng.integers(low, 256, (y2 - y1, x2 - x1))
    return pixels, masks


@pytest.fixture
def batches() -> Callable:
    """Yields (pixels, masks, images, mask tensors) of random sizes; the last two as NCHW."""

    def make(turns: int = 30, count: int = 4, smallest: int = 1, largest: int = 50, seed: int = 0):
        rng = np.random.default_rng(seed)
        for _ in range(turns):
            height, width = (int(v) for v in rng.integers(smallest, largest, 2))
            pixels, masks = random_batch(rng, count, height, width)
            yield pixels, masks, nchw(pixels), torch.from_numpy(masks)[:, None]

    return make


def nchw(pixels: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(pixels).permute(0, 3, 1, 2).contiguous()


def nhwc(images: torch.Tensor) -> np.ndarray:
    return images.permute(0, 2, 3, 1).numpy()


@pytest.fixture(name='nhwc')
def _nhwc() -> Callable:
    return nhwc


@pytest.fixture(name='nchw')
def _nchw() -> Callable:
    return nchw
