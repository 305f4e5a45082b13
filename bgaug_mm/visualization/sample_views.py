"""What a training pipeline makes of an image: original, mask and views."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from numpy.typing import NDArray
from PIL import Image

from ..datasets.sample_stream import SAMPLE_STREAM


class SampleViews(NamedTuple):
    """Pictures of one sample, RGB uint8."""

    original: NDArray[np.uint8]  # (H, W, 3)
    mask: NDArray[np.uint8] | None  # (H, W), 255 = object; None where it has none
    views: list[NDArray[np.uint8]]  # (h, w, 3) each


def build_training_dataset(config: Config) -> Any:
    """The dataset of ``config.train_dataloader``, as the Runner builds it."""
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmengine')):
        return DATASETS.build(config.train_dataloader.dataset)


def sample_views(
    dataset: Any, indices: Sequence[int], *, epochs: int = 1, seed: int = 0, warm_up: int = 64
) -> list[SampleViews]:
    """Run a dataset's pipeline on some samples.

    Args:
        dataset: A training dataset whose pipeline packs views into ``inputs``
            (tensors (3, h, w), BGR, 0..255, before the model's normalisation).
        indices (Sequence[int]): The samples.
        epochs (int): How often the views are drawn. Defaults to 1.
        seed (int): Seed of the views. Defaults to 0.
        warm_up (int): Samples drawn first, evenly over the dataset, so that
            sources of recent backgrounds have some. Defaults to 64.

    Returns:
        list[SampleViews]: One per index; views of all epochs in order.
    """
    before = SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch
    views: list[list[NDArray[np.uint8]]] = [[] for _ in indices]
    # drawing seeds the global generators: leave them as they were
    numpy_state, torch_state = np.random.get_state(), torch.get_rng_state()
    try:
        for epoch in range(epochs):
            SAMPLE_STREAM.set(seed=seed, epoch=epoch)
            for i in range(min(warm_up, len(dataset))):
                dataset[i * len(dataset) // min(warm_up, len(dataset))]
            for row, index in enumerate(indices):
                views[row].extend(_picture(view) for view in dataset[index]['inputs'])
    finally:
        SAMPLE_STREAM.set(seed=before[0], epoch=before[1])
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)

    found = []
    for index, pictures in zip(indices, views, strict=True):
        info = dataset.get_data_info(index)
        mask = info.get('saliency_mask_path')
        found.append(
            SampleViews(
                _read(info['img_path'], 'RGB'), _read(mask, 'L') if mask else None, pictures
            )
        )
    return found


def _picture(view: Any) -> NDArray[np.uint8]:
    bgr = torch.as_tensor(view)[:3].permute(1, 2, 0).numpy()
    return np.ascontiguousarray(np.rint(np.clip(bgr[..., ::-1], 0, 255)).astype(np.uint8))


def _read(path: str | Path, mode: str) -> NDArray[np.uint8]:
    with Image.open(path) as image:
        return np.asarray(image.convert(mode), dtype=np.uint8)
