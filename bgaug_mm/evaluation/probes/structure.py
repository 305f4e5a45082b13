"""Structure probes: what a classifier still knows when intensities or patches are distorted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from ...datasets.transforms.functional import Array
from ...datasets.transforms.gamma import distort_gamma
from ...datasets.transforms.patch_shuffle import SHUFFLES, apply_order, shuffle_order
from ..attacks.input_gradients import check_images, predict, undisturbed

#: Image and its number → image.
_Distortion = Callable[[Array, int], Array]


def structure_scores(
    classifier: nn.Module,
    images: Tensor,
    labels: Tensor,
    *,
    gammas: Sequence[float] = (0.2, 0.5, 2.0, 5.0),
    grids: Sequence[int] = (2, 4, 8),
    shuffles: Sequence[str] = SHUFFLES,
    seed: int = 0,
    first: int = 0,
    batch_size: int = 256,
) -> dict[str, Tensor]:
    """Which images are classified right under gamma distortion and patch shuffling.

    The downstream corruptions of Zhong et al., "Is Self-Supervised Learning More Robust
    Than Supervised Learning?" (arXiv 2206.05259, 2022); that they are these two kinds is in
    the abstract, the strengths are our choice. A model that lives on texture keeps its
    accuracy when patches change places and loses it when the pixels within them do; one
    that looks at shape the other way round.

    The order of the patches depends on the seed, the grid and the number of the image,
    so that models are compared on the same distorted images, and a set can be given in
    parts.

    Args:
        classifier (nn.Module): Logits (N, C) of such images, on the device where to compute: a
            FrozenClassifier, LoadedClassifier or GroupedClassifier.
        images (Tensor): (N, 3, H, W) uint8, BGR, distorted as they are given: resized
            and cropped already.
        labels (Tensor): (N,), integers from 0.
        gammas (Sequence[float]): Exponents, above 0. Defaults to 0.2, 0.5, 2 and 5.
        grids (Sequence[int]): Patches a side, at least 1. Defaults to 2, 4 and 8.
        shuffles (Sequence[str]): What is shuffled, see
            :func:`~bgaug_mm.datasets.transforms.patch_shuffle.shuffle_order`. Defaults to
            both, patches and pixels within patches.
        seed (int): At least 0. Defaults to 0.
        first (int): Number of the first image. Defaults to 0.
        batch_size (int): Images computed at once. Defaults to 256.

    Returns:
        dict[str, Tensor]: (N,) bool, on the CPU, by ``clean``, ``gamma_<gamma>``,
        ``patches_<grid>`` and ``pixels_<grid>``; the mean is the accuracy.

    Raises:
        ValueError: For arguments of the wrong shape or out of range.
    """
    check_images(classifier, images, labels, None)
    if images.dtype != torch.uint8:
        raise ValueError(f'`images` must be uint8, but got {images.dtype}')
    distortions = dict(_distortions(gammas, grids, shuffles, seed))
    scores: dict[str, list[Tensor]] = {name: [] for name in distortions}
    with undisturbed(classifier):
        for start in range(0, len(images), batch_size):
            batch = images[start : start + batch_size].cpu().permute(0, 2, 3, 1).numpy()
            batch = np.ascontiguousarray(batch)
            right = labels[start : start + batch_size].cpu()
            for name, distort in distortions.items():
                changed = np.stack(
                    [distort(image, first + start + i) for i, image in enumerate(batch)]
                )
                inputs = torch.from_numpy(changed).permute(0, 3, 1, 2)
                scores[name].append(predict(classifier, inputs, batch_size) == right)
    return {name: torch.cat(parts) for name, parts in scores.items()}


def _distortions(
    gammas: Sequence[float], grids: Sequence[int], shuffles: Sequence[str], seed: int
) -> Iterator[tuple[str, _Distortion]]:
    """By name."""

    def gamma_of(gamma: float) -> _Distortion:
        return lambda image, number: distort_gamma(image, gamma)

    def shuffle_of(shuffled: str, grid: int) -> _Distortion:
        def shuffle(image: Array, number: int) -> Array:
            draw = np.random.default_rng([seed, grid, number]).permutation
            height, width = image.shape[:2]
            order = shuffle_order(height, width, grid, shuffled=shuffled, permutation=draw)
            return apply_order(image, order)

        return shuffle

    yield 'clean', lambda image, number: image
    for gamma in gammas:
        yield f'gamma_{gamma:g}', gamma_of(gamma)
    for shuffled in shuffles:
        for grid in grids:
            yield f'{shuffled}_{grid}', shuffle_of(shuffled, grid)
