"""Lets convolutional networks compute in channels-last memory order."""

from typing import Any

import torch
from mmengine.hooks import Hook
from mmengine.runner import Runner
from torch import Tensor, nn

from ...registry import HOOKS
from ..submodules import unwrapped


@HOOKS.register_module()
class ChannelsLastHook(Hook):
    """Compute in ``torch.channels_last`` while training: the same values up to rounding, faster.

    The images are reordered where a convolution takes them; PyTorch's operators keep the
    order from there on, in target networks and while views are scored as well. Weights,
    checkpoints and optimizer states keep theirs. Pays on CPUs (docs/benchmarks.md) and,
    by PyTorch's documentation, with AMP on GPUs with tensor cores.

    Args:
        in_channels: Channels of the images: convolutions that take as many are the ones
            that reorder, at least 1. Default 3.

    Raises:
        ValueError: ``in_channels`` is out of range, or no convolution takes as many.
    """

    def __init__(self, *, in_channels: int = 3) -> None:
        if not isinstance(in_channels, int) or in_channels < 1:
            raise ValueError(f'`in_channels` must be an integer from 1, but got {in_channels!r}')
        self.in_channels = in_channels
        self._handles: list[Any] = []

    def before_train(self, runner: Runner) -> None:
        """Find the convolutions that take images."""
        model = unwrapped(runner.model)
        stems = [
            module
            for module in model.modules()
            if isinstance(module, nn.Conv2d) and module.in_channels == self.in_channels
        ]
        if not stems:
            raise ValueError(
                f'ChannelsLastHook: no Conv2d of {type(model).__name__} takes '
                f'`in_channels`={self.in_channels} channels'
            )
        self._handles = [stem.register_forward_pre_hook(_reorder) for stem in stems]

    def after_train(self, runner: Runner) -> None:
        """Leave the model as it was."""
        while self._handles:
            self._handles.pop().remove()


def _reorder(module: nn.Module, inputs: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
    images, *rest = inputs
    return (images.contiguous(memory_format=torch.channels_last), *rest)
