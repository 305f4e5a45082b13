"""Drives the random streams of the samples, and makes resuming exact."""

import random
from typing import Any

import numpy as np
import torch
from mmengine.dist import broadcast_object_list, get_rank
from mmengine.hooks import DistSamplerSeedHook
from mmengine.logging import print_log
from mmengine.runner import EpochBasedTrainLoop, Runner

from ...datasets.sample_stream import SAMPLE_STREAM
from ...registry import HOOKS


@HOOKS.register_module()
class SampleSeedHook(DistSamplerSeedHook):
    """Start each epoch's random streams from (seed, epoch).

    Put it in the place of mmengine's hook, whose duty (``sampler.set_epoch``) it
    keeps: ``default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))``,
    with ``dict(type='bgaug_mm.SeedSample')`` first in the pipeline.

    * Views: (seed, epoch) is written where ``SeedSample`` reads it in the workers.
      mmengine gives the workers the same numbers at each of their starts, so that
      without it epochs repeat their augmentations (or resumed runs do).
    * Order: the sampler takes the run's seed. mmengine builds the sampler before it
      restores the seed from the checkpoint, so a run without a configured seed
      would otherwise resume with another order.
    * Forward pass: the main process' generators start each iteration from
      (seed, iteration, rank), for models that draw there (dropout, drop path,
      shuffled BN).
    * Progress: finished epochs over all epochs, for schedules of the augmentation
      (``prob`` of BackgroundSwap and BackgroundRemove).

    Loops by iterations have no epochs: there the streams stay off (one log line) and
    mmengine's behaviour is unchanged. The progress is then iterations over all
    iterations, which workers see as far behind or ahead as they have made batches
    beforehand.
    """

    priority = 'NORMAL'

    def before_train(self, runner: Runner) -> None:
        """Take the run's seed, which all ranks share and a checkpoint has restored."""
        seeds = [runner.seed]  # differs by rank with `diff_rank_seed`
        broadcast_object_list(seeds)
        self._seed = int(seeds[0])
        self._on = isinstance(runner.train_loop, EpochBasedTrainLoop)
        if not self._on:
            self._count_iterations(runner)
            print_log(
                'SampleSeedHook: the training loop counts iterations, not epochs; '
                'SeedSample stays off and resuming is not exact.',
                logger='current',
            )
            return
        loader = runner.train_loop.dataloader
        for sampler in (loader.sampler, getattr(loader.batch_sampler, 'sampler', None)):
            if sampler is not None and hasattr(sampler, 'seed'):
                sampler.seed = self._seed

    def before_train_epoch(self, runner: Runner) -> None:
        """Set the epoch of the sampler and start the epoch's streams."""
        super().before_train_epoch(runner)
        if self._on:
            SAMPLE_STREAM.set(
                seed=self._seed, epoch=runner.epoch, progress=runner.epoch / runner.max_epochs
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Start what the forward pass draws, now that the batch is there."""
        if self._on:
            entropy = np.random.SeedSequence((self._seed, runner.iter, get_rank()))
            for_numpy, for_random, for_torch = (int(s) for s in entropy.generate_state(3))
            np.random.seed(for_numpy)
            random.seed(for_random)
            torch.manual_seed(for_torch)
        else:
            self._count_iterations(runner)

    @staticmethod
    def _count_iterations(runner: Runner) -> None:
        SAMPLE_STREAM.set(seed=-1, epoch=0, progress=runner.iter / runner.max_iters)
