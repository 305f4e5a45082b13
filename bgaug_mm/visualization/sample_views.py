"""What a training pipeline makes of an image: original, mask and views."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, DefaultScope
from numpy.typing import NDArray

from ..datasets.sample_stream import SAMPLE_STREAM
from .pipeline_tap import tapped

Picture = NDArray[np.uint8]


class View(NamedTuple):
    """A view as it is packed for the model, and what was drawn for it."""

    image: Picture  #: (h, w, 3) RGB
    mask: Picture | None = None  #: (h, w), 255 = object; None where it has none
    crop_bbox: tuple[int, int, int, int] | None = None  #: x1, y1, x2, y2 in the original
    flip: str | None = None  #: direction, '' for not flipped, None where none was drawn
    background_op: str | None = None  #: class name of what changed the background
    background_params: str | None = None  #: what it drew, for people
    role: str = 'view'  #: what it is to the model
    note: str = ''  #: anything else to be said of it


class SampleViews(NamedTuple):
    """One sample: what was loaded, and its views of all epochs in order."""

    path: str  #: the image file, '' for a dataset without files
    original: Picture  #: (H, W, 3) RGB
    mask: Picture | None  #: (H, W), 255 = object; None where it has none
    views: list[View]
    packed: list[Any]  #: what the model's data preprocessor gets, one item an epoch


def build_training_dataset(config: Config) -> Any:
    """The dataset of ``config.train_dataloader``, as the Runner builds it."""
    with DefaultScope.overwrite_default_scope(config.get('default_scope', 'mmengine')):
        return DATASETS.build(config.train_dataloader.dataset)


def find_images(dataset: Any, paths: Sequence[str], guesses: Sequence[int]) -> list[int]:
    """Where a dataset has images that another one has.

    Args:
        dataset: A built dataset of image files.
        paths (Sequence[str]): The image files.
        guesses (Sequence[int]): Their indices in the other dataset, tried first.

    Raises:
        ValueError: If it does not have one of them.
    """

    def path(i: int) -> str:
        return str(dataset.get_data_info(i).get('img_path', ''))

    tried = list(zip(guesses, paths, strict=True))
    if all(i < len(dataset) and path(i) == wanted for i, wanted in tried):
        return list(guesses)
    places = {path(i): i for i in range(len(dataset))}
    for wanted in paths:
        if wanted not in places:
            raise ValueError(f'its training set does not have the image {wanted}')
    return [places[wanted] for wanted in paths]


def sample_views(
    dataset: Any,
    indices: Sequence[int],
    *,
    epochs: int = 1,
    seed: int = 0,
    progress: float = 0.0,
    warm_up: int = 64,
    advance: Callable[[], object] = lambda: None,
) -> list[SampleViews]:
    """Run a dataset's pipeline on some samples.

    Args:
        dataset: A training dataset with a ``MultiView`` in its pipeline, which packs
            the views into ``inputs`` (tensors (3, h, w), with a mask (4, h, w), BGR,
            0..255, before the model's normalisation).
        indices (Sequence[int]): The samples.
        epochs (int): How often the views are drawn. Defaults to 1.
        seed (int): Seed of the views. Defaults to 0.
        progress (float): Share of the training that is done, in [0, 1], for probabilities
            that change over it. Defaults to 0.0.
        warm_up (int): Samples drawn first, evenly over the dataset, so that
            sources of recent backgrounds have some. Defaults to 64.
        advance (callable): Called after each sample that was drawn, for a progress
            bar. Defaults to nothing.

    Returns:
        list[SampleViews]: One per index.

    Raises:
        ValueError: If the pipeline has no ``MultiView``.
        IndexError: If an index is out of range.
    """
    seed_before, epoch_before = SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch
    progress_before = SAMPLE_STREAM.progress
    found: list[SampleViews] = []
    # drawing seeds the global generators: leave them as they were
    numpy_state, torch_state = np.random.get_state(), torch.get_rng_state()
    try:
        with tapped(dataset) as (entering, leaving):
            for epoch in range(epochs):
                SAMPLE_STREAM.set(seed=seed, epoch=epoch, progress=progress)
                for i in range(min(warm_up, len(dataset))):
                    dataset[i * len(dataset) // min(warm_up, len(dataset))]
                    advance()
                for row, index in enumerate(indices):
                    packed = dataset[index]
                    if epoch == 0:
                        found.append(_sample(entering.results))
                    found[row].views.extend(_views(leaving.results, packed['inputs']))
                    found[row].packed.append(packed)
                    advance()
    finally:
        SAMPLE_STREAM.set(seed=seed_before, epoch=epoch_before, progress=progress_before)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)
    return found


def _sample(loaded: dict[str, Any]) -> SampleViews:
    mask = loaded.get('gt_seg_map')
    if mask is not None:
        mask = None if (mask == 255).all() else np.array(mask)  # full: an image without a mask
    original = np.ascontiguousarray(loaded['img'][..., ::-1])
    return SampleViews(str(loaded.get('img_path', '')), original, mask, [], [])


def _views(results: dict[str, Any], inputs: Any) -> list[View]:
    pictures = [picture(view) for view in inputs]

    def each(key: str) -> list[Any]:
        values = results.get(key)
        fits = isinstance(values, list) and len(values) == len(pictures)
        return list(values) if fits and values is not None else [None] * len(pictures)

    views = []
    for image, mask, box, flip, direction, op, params in zip(
        pictures,
        each('gt_seg_map'),
        each('crop_bbox'),
        each('flip'),
        each('flip_direction'),
        each('background_op'),
        each('background_params'),
        strict=True,
    ):
        if mask is not None and (mask.shape != image.shape[:2] or (mask == 255).all()):
            mask = None  # not carried along by the view's transforms, or an image without
        if flip is not None:
            flip = str(direction or 'horizontal') if flip else ''
        views.append(View(image, mask, box, flip, op, params))
    return views


def picture(view: Any) -> Picture:
    """RGB (h, w, 3) uint8 of a packed view, (3 or 4, h, w) BGR."""
    bgr = torch.as_tensor(view)[:3].permute(1, 2, 0).numpy()
    return np.ascontiguousarray(np.rint(np.clip(bgr[..., ::-1], 0, 255)).astype(np.uint8))
