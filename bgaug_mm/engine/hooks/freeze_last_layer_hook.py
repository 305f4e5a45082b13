"""Keeps a layer as it is at the beginning of a training."""

from __future__ import annotations

from typing import Any

from mmengine.hooks import Hook
from mmengine.runner import EpochBasedTrainLoop, Runner
from torch.optim import Optimizer

from ...registry import HOOKS
from ..submodules import submodule


@HOOKS.register_module()
class FreezeLastLayerHook(Hook):
    """Do not train a module for the first epochs or iterations.

    DINO keeps the head's last layer still in the first epoch: Caron et al., "Emerging
    Properties in Self-Supervised Vision Transformers", ICCV 2021, section 3.2 and released code.
    The gradients are thrown away right before the optimizer's step, behind the clip: so the
    optimizer leaves the parameters alone (no weight decay, no moments), DDP finds their
    gradients where it expects them, and gradient accumulation and loss scaling are untouched.
    A function of the epoch or iteration: a resumed run continues exactly.

    Args:
        module: Dotted name of the submodule of the (unwrapped) model. Default
            ``'head.last_layer'``, that of our DINO and iBOT.
        epochs: Epochs to freeze it for, from 0; of a loop by epochs. Default 1.
        iters: Iterations to freeze it for, from 0, instead of epochs. Default: by epochs.

    Raises:
        ValueError: An option is out of range, the model has no such submodule, or the training
            loop counts iterations and ``iters`` is not given.
    """

    priority = 'NORMAL'

    def __init__(
        self, *, module: str = 'head.last_layer', epochs: int = 1, iters: int | None = None
    ) -> None:
        for name, value in (('epochs', epochs), ('iters', iters)):
            if value is not None and (not isinstance(value, int) or value < 0):
                raise ValueError(f'`{name}` must be an integer from 0, but got {value!r}')
        self.module = module
        self.epochs = epochs
        self.iters = iters
        self._handle: Any = None

    def before_train(self, runner: Runner) -> None:
        """Step in before the optimizer's steps."""
        module = submodule(runner.model, self.module)
        if self.iters is None and not isinstance(runner.train_loop, EpochBasedTrainLoop):
            raise ValueError('the training loop counts iterations: give `iters`, not `epochs`')
        parameters = list(module.parameters())

        def before_step(optimizer: Optimizer, args: Any, kwargs: Any) -> None:
            if self._frozen(runner):
                for parameter in parameters:
                    parameter.grad = None

        self._handle = runner.optim_wrapper.optimizer.register_step_pre_hook(before_step)

    def _frozen(self, runner: Runner) -> bool:
        if self.iters is not None:
            return int(runner.iter) < self.iters
        return int(runner.epoch) < self.epochs

    def after_train(self, runner: Runner) -> None:
        """Leave the optimizer alone again."""
        self._handle.remove()
