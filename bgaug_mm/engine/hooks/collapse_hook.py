"""Watches whether the embeddings collapse."""

import logging
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor, nn

from ...registry import HOOKS
from ..submodules import submodule


def feature_std(features: Tensor) -> float:
    """Collapse figure of embeddings: std per dimension of the unit vectors, times √d.

    Args:
        features: (N, d) float embeddings, N >= 2; normalised here.

    Returns:
        1 when the vectors are spread evenly over the sphere, 0 when all are equal.

    Source: Chen & He, Exploring Simple Siamese Representation Learning (2021),
    section 4.1, where the std is 1/√d without collapse.
    """
    unit = nn.functional.normalize(features.detach().float(), dim=1)
    return float(unit.std(dim=0).mean()) * features.shape[1] ** 0.5


@HOOKS.register_module()
class CollapseHook(Hook):
    """Log ``feature_std`` (see :func:`feature_std`) of a module's output.

    The figure joins the training log (JSON, TensorBoard) as ``feature_std``. It is
    that of the module's first call in the iteration, which is the first view in the
    algorithms of mmselfsup and mmpretrain, and of this process' share of the batch.

    Args:
        module: Dotted name of a submodule of the (unwrapped) model whose output is
            the embedding: a (N, d) tensor, or a tuple or list that starts with one
            (maps are averaged over space). Default ``'neck'``, the projector.
        interval: Iterations between two measurements, from 1. Default 10, as the
            logger's.
        warn_below: Warn (once) when the figure falls below this. Default: never.

    Raises:
        ValueError: An option is out of range, or the model has no such submodule.
    """

    priority = 'NORMAL'

    def __init__(
        self, *, module: str = 'neck', interval: int = 10, warn_below: float | None = None
    ) -> None:
        if not isinstance(interval, int) or interval < 1:
            raise ValueError(f'`interval` must be an integer from 1, but got {interval!r}')
        if warn_below is not None and not 0 <= warn_below <= 1:
            raise ValueError(f'`warn_below` must be in [0, 1], but got {warn_below!r}')
        self.module = module
        self.interval = interval
        self.warn_below = warn_below
        self._armed = False
        self._features: Tensor | None = None
        self._handle: Any = None

    def before_train(self, runner: Runner) -> None:
        """Listen to the module."""
        module = submodule(runner.model, self.module)
        self._handle = module.register_forward_hook(self._listen)

    def _listen(self, module: nn.Module, inputs: Any, output: Any) -> None:
        if self._armed:
            self._armed = False
            while isinstance(output, (tuple, list)):
                output = output[0]
            features = output.detach()
            self._features = features.flatten(2).mean(2) if features.dim() > 2 else features

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Arm the listener in the iterations that are measured."""
        self._armed = self.every_n_train_iters(runner, self.interval)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Hand the figure to the log."""
        features, self._features, self._armed = self._features, None, False
        if features is None or len(features) < 2:
            return
        value = feature_std(features)
        runner.message_hub.update_scalar('train/feature_std', value)
        if self.warn_below is not None and value < self.warn_below:
            print_log(
                f'CollapseHook: feature_std is {value:.3f} (1 = spread, 0 = collapsed), below '
                f'{self.warn_below}, at iteration {runner.iter + 1}.',
                logger='current',
                level=logging.WARNING,
            )
            self.warn_below = None

    def after_train(self, runner: Runner) -> None:
        """Stop listening."""
        self._handle.remove()
