"""Gradients of a classifier with respect to its input, and where in the image they lie."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn


class GradientShare(NamedTuple):
    """Where the input gradient lies, image by image.

    Attributes:
        foreground (Tensor): (N,) float64 in [0, 1], the foreground's share of the gradient's
            energy (sum of squares); NaN where the gradient is zero.
        area (Tensor): (N,) float64 in [0, 1], the foreground's share of the pixels, which is
            what a gradient spread evenly would give.
    """

    foreground: Tensor
    area: Tensor


def gradient_share(
    classifier: nn.Module,
    images: Tensor,
    labels: Tensor,
    masks: Tensor,
    *,
    batch_size: int = 64,
) -> GradientShare:
    """How much of the gradient of the label's loss lies on the foreground.

    The energy of the input gradient as a picture of what a classifier looks at is
    Simonyan, Vedaldi and Zisserman's (ICLR 2014 workshop, section 3), summed here over
    channels and over the mask. The loss is the cross-entropy, differentiated where
    it does not vanish (:func:`label_margin`).

    Args:
        classifier (nn.Module): Logits (N, C) of such images, on the device where to compute: a
            FrozenClassifier, LoadedClassifier or GroupedClassifier.
        images (Tensor): (N, 3, H, W) BGR, 0..255, uint8 or floating.
        labels (Tensor): (N,), integers from 0.
        masks (Tensor): (N, H, W) uint8, 255 = foreground; soft pixels count by their
            value.
        batch_size (int): Images computed at once. Defaults to 64.

    Returns:
        GradientShare: On the CPU.

    Raises:
        ValueError: For arguments of the wrong shape or range.
    """
    check_images(classifier, images, labels, masks)
    if masks.dtype != torch.uint8:
        raise ValueError(f'`masks` must be uint8, but got {masks.dtype}')
    device = device_of(classifier)
    parts = []
    with undisturbed(classifier):
        for some, own, mask in zip(
            torch.split(images, batch_size),
            torch.split(labels, batch_size),
            torch.split(masks, batch_size),
            strict=True,
        ):
            inputs = some.to(device, torch.float32).detach().clone().requires_grad_()
            total = label_margin(classifier(inputs), own.to(device)).sum()
            (gradient,) = torch.autograd.grad(total, inputs)
            energy = gradient.cpu().double().square().sum(1)  # (n, H, W)
            share = (energy * mask.cpu() / 255).sum((1, 2)) / energy.sum((1, 2))
            parts.append((share, mask.cpu().double().mean((1, 2)) / 255))
    foreground, area = zip(*parts, strict=True)
    return GradientShare(torch.cat(foreground), torch.cat(area))


def label_margin(logits: Tensor, labels: Tensor) -> Tensor:
    """Log-odds of the label against all others, (N,), float64.

    The gradient of the cross-entropy is ``-(1 - p)`` times the gradient of this, p being the
    label's probability. So it points the other way, and it alone vanishes (in float32
    altogether) where the classifier is sure.
    """
    logits, index = logits.double(), labels.view(-1, 1)
    others = logits.scatter(1, index, -torch.inf)
    return logits.gather(1, index).squeeze(1) - others.logsumexp(1)


def device_of(module: nn.Module) -> torch.device:
    """Where its buffers or parameters are."""
    return next(chain(module.buffers(), module.parameters())).device


def output_count(classifier: nn.Module, images: Tensor) -> int:
    """The number of logits, found by a forward pass of the first image."""
    with undisturbed(classifier), torch.no_grad():
        logits: Tensor = classifier(images[:1].to(device_of(classifier)))
    return logits.shape[1]


def predict(classifier: nn.Module, images: Tensor, batch_size: int = 64) -> Tensor:
    """Labels (N,) on the CPU of images (N, 3, H, W), 0..255."""
    device = device_of(classifier)
    with torch.no_grad():
        parts = [
            classifier(part.to(device)).argmax(1).cpu() for part in torch.split(images, batch_size)
        ]
    return torch.cat(parts)


@contextmanager
def undisturbed(classifier: nn.Module) -> Iterator[None]:
    """Gradients on; afterwards random states and modes as before."""
    modes = {module: module.training for module in classifier.modules()}
    state = np.random.get_state()
    device = device_of(classifier)
    try:
        with (
            torch.random.fork_rng(devices=[]),  # data loaders draw
            torch.cuda.device(device if device.type == 'cuda' else -1),  # ART takes the current one
            torch.inference_mode(False),
            torch.enable_grad(),
        ):
            classifier.eval()
            yield
    finally:
        np.random.set_state(state)
        for module, training in modes.items():
            module.training = training


def check_images(
    classifier: nn.Module, images: Tensor, labels: Tensor, masks: Tensor | None
) -> None:
    """Raise for images, labels or masks of the wrong shape or out of range."""
    if images.ndim != 4 or not len(images) or labels.shape != images.shape[:1]:
        raise ValueError(
            '`images` must be (N, 3, H, W) and `labels` (N,) with N > 0, but got '
            f'{tuple(images.shape)} and {tuple(labels.shape)}'
        )
    for name, values, most in (
        ('images', images, 255),
        ('labels', labels, output_count(classifier, images) - 1),
    ):
        low, high = values.min().item(), values.max().item()
        if not 0 <= low <= high <= most:  # nan too
            raise ValueError(f'`{name}` must be in [0, {most}], but got {low:g} to {high:g}')
    expected = (len(images), *images.shape[2:])
    if masks is not None and tuple(masks.shape) != expected:
        raise ValueError(
            f'`masks` must be {expected} like the images, but got {tuple(masks.shape)}'
        )
