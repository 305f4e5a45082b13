"""Statistics of BN for the weights as they are, before evaluation."""

from __future__ import annotations

from itertools import islice
from typing import Any

import torch
from mmengine.dataset import DefaultSampler
from mmengine.dist import all_reduce
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.data import DataLoader

from ...registry import HOOKS
from ..submodules import unwrapped


@HOOKS.register_module()
class PreciseBNHook(Hook):
    """Replace BN's running statistics by those of training batches under the present weights.

    Wu & Johnson, "Rethinking 'Batch' in BatchNorm", 2021 (arXiv 2105.07576), section 3: a
    moving average mixes in statistics of earlier weights. MoCo's protocol for R50-C4 detectors
    evaluates with precise ones. After the last iteration before each evaluation, and before
    the checkpoint is saved, batches of the training set pass through the model in training
    mode without gradients; each BN then gets mean and variance over all elements it has seen,
    in all processes. Training itself is not changed: it normalises by batches.

    mmpretrain's hook of this name averages the batches' variances, which leaves out how their
    means differ; lets a detector predict, where training also passes regions sampled by the
    boxes; and takes batches from the loader that training goes on with.

    Args:
        num_iters (int): Batches a process, at least 0; fewer where the training set has no more,
            none with 0. Defaults to 200, as in MoCo's protocol.

    Raises:
        ValueError: If ``num_iters`` is negative.
    """

    priority = 'ABOVE_NORMAL'  # before hooks that copy or save the model

    def __init__(self, *, num_iters: int = 200) -> None:
        if num_iters < 0:
            raise ValueError(f'`num_iters` must be at least 0, but got {num_iters}')
        self.num_iters = num_iters

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Where the loop counts iterations."""
        loop = runner.train_loop
        if isinstance(loop, IterBasedTrainLoop):
            self._update_if_due(runner, loop.iter + 1, loop.max_iters, loop.val_interval)

    def after_train_epoch(self, runner: Runner) -> None:
        """Where the loop counts epochs."""
        loop = runner.train_loop
        if isinstance(loop, EpochBasedTrainLoop):
            self._update_if_due(runner, loop.epoch + 1, loop.max_epochs, loop.val_interval)

    def _update_if_due(self, runner: Runner, done: int, last: int, interval: int) -> None:
        if self.num_iters and (done % interval == 0 or done == last):
            self._update(runner)

    @torch.no_grad()
    def _update(self, runner: Runner) -> None:
        model = unwrapped(runner.model)
        layers = [m for m in model.modules() if isinstance(m, _BatchNorm) and m.training]
        moments = [_Moments(layer) for layer in layers if layer.track_running_stats]
        try:
            for data in islice(_batches(runner), self.num_iters):
                with runner.optim_wrapper.optim_context(model):
                    model._run_forward(model.data_preprocessor(data, True), mode='loss')
        finally:
            for moment in moments:
                moment.handle.remove()
        for moment in moments:
            moment.store()
        print_log(f'precise statistics in {len(moments)} BN layers', logger='current')


class _Moments:
    """Count, sum and sum of squares of what enters a layer, by channel."""

    def __init__(self, layer: _BatchNorm) -> None:
        self.layer = layer
        self.sums = torch.zeros(3, layer.num_features, dtype=torch.float64)
        self.handle = layer.register_forward_pre_hook(self._add)

    def _add(self, layer: nn.Module, args: tuple[Tensor, ...]) -> None:
        features = args[0].float().transpose(0, 1).flatten(1)  # (C, elements)
        if count := features.shape[1]:  # a detector may have no region to look at
            var, mean = (value.cpu().double() for value in _var_mean(features))
            ones = torch.ones_like(mean)
            self.sums += count * torch.stack([ones, mean, var + mean**2])

    def store(self) -> None:
        """Over all processes; left as it was where nothing came in."""
        all_reduce(self.sums)
        count, total, squares = self.sums
        if count[0] > 0:
            mean = total / count
            self.layer.running_mean.copy_(mean)  # type: ignore[union-attr]
            self.layer.running_var.copy_(squares / count - mean**2)  # type: ignore[union-attr]


def _var_mean(features: Tensor) -> tuple[Tensor, Tensor]:
    return torch.var_mean(features, dim=1, correction=0)


def _batches(runner: Runner) -> DataLoader[Any]:
    """Training batches from a loader of their own: the training goes on with the other."""
    train = runner.train_dataloader
    return DataLoader(
        train.dataset,
        batch_size=train.batch_size or train.batch_sampler.batch_size,
        sampler=DefaultSampler(train.dataset, shuffle=True, seed=runner.seed),
        num_workers=train.num_workers,
        collate_fn=train.collate_fn,
        worker_init_fn=train.worker_init_fn,
        multiprocessing_context=train.multiprocessing_context,
    )
