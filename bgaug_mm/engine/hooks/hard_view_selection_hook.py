"""Trains on the hardest of the views that the pipeline makes."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.dist import get_rank
from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import Runner
from torch import Tensor

from ...registry import HOOKS
from ..hard_views.candidates import as_views, count_views, first_views, prepare, view_recipes
from ..hard_views.crop_selection import select_crops
from ..hard_views.schedule import Schedule, check_integer, iteration_generator
from ..hard_views.scorers import ViewScorer, build_scorer
from ..hard_views.scoring import scoring
from ..hard_views.selection import (
    Objective,
    candidate_pairs,
    check_objective,
    gather_views,
    select_pair,
)
from ..hard_views.stopwatch import Stopwatch
from ..hard_views.telemetry import HardViewTelemetry
from ..submodules import unwrapped


@HOOKS.register_module()
class HardViewSelectionHook(Hook):
    """Score the candidate views without gradient; hand the hardest ones to the step.

    The pipeline makes N views (``MultiView`` with ``num_views=[4]``, ``[2, 2]`` or for
    multi-crop ``[2, 2, 16]``); the hook replaces ``data_batch['inputs']`` by
    ``num_views_out`` of them, chosen sample by sample. Ferreira, Rapant, Franke, Hutter,
    "Beyond Random Augmentations: Pretraining with Hard Views", ICLR 2025: N = 4, all pairs,
    the hardest one. Multi-crop is exact here instead of by random combinations.

    * Scores are the algorithm's own loss for each sample
      (:mod:`~bgaug_mm.engine.hard_views.scorers`), from one forward pass a view.
    * Nothing that training owns changes: see :func:`~bgaug_mm.engine.hard_views.scoring`.
      Drop path and dropout are off, batch norms use the statistics of the view's batch on
      this process. A background operation of the data preprocessor is not applied while
      scoring; it comes in the step.
    * The choice is a function of (seed, iteration, rank) and the batch; random numbers come
      from a generator of its own. A resumed run hence chooses the same.
    * Each process scores its samples with its unwrapped model and talks to no other.
    * Iterations without selection, samples kept random and batches of one image take the
      first view of each recipe (with one recipe the first two, then the first locals): views
      are drawn alike, so that these are as random as any. A sample whose scores are not
      finite does the same; these are counted as ``hard_views/not_finite`` in the log. When
      the pipeline makes no more views than are kept, nothing is scored (said once).
    * With mmengine's ``compile`` of the whole model the scores run uncompiled, for they
      call its parts; a compiled backbone is used.

    Args:
        num_views_out (int): Views to keep; 2, or with multi-crop 2 plus the locals. Defaults
            to 2.
        objective (str | dict): ``'hardest'``, ``'easiest'``, ``'random'`` (the first views,
            nothing is scored), ``dict(type='top', q=0.25)`` or ``dict(type='band', low=0.5,
            high=0.9)``: a draw among the candidates of these quantiles of hardness. Defaults
            to 'hardest'.
        every_n_iters (int): Select in every n-th iteration, from ``begin``. Defaults to 1.
        begin (int): First epoch, or iteration, with selection. Defaults to 0.
        end (int, optional): First one without again. Defaults to None.
        warmup (int): Epochs, or iterations, from ``begin`` over which the share of samples
            with hard views rises linearly to ``1 - mix``. Defaults to 0.
        by_epoch (bool): Whether ``begin``, ``end`` and ``warmup`` count epochs; these are
            iterations over the length of the data loader. Defaults to True.
        score_size (int, optional): Score at this height, resized bilinearly (multi-crop: that
            of the global views, locals in proportion). Defaults to None, full size.
        mix (float): Share of the samples, drawn in each iteration, that keep random views,
            in [0, 1]. Defaults to 0.
        scorer (str | dict | ViewScorer): ``'auto'`` (from the algorithm's class) or which
            scorer, e.g. 'GenericScorer'. Defaults to 'auto'.
        strict (bool): Whether an algorithm without a scorer is an error; else the generic one
            is taken, with a warning. Defaults to True.
        per_global_recipe (bool): Choose one global view of each of the two recipes, in their
            order, instead of any two. Defaults to False.
        recipes (Sequence[int], optional): Recipe of each view. Defaults to None: the
            pipelines of MultiView in the training data set.
        telemetry_interval (int): Selecting iterations between two entries in the log, from 1;
            0 for none. Defaults to 10.

    Raises:
        ValueError: If an option is out of range; in training if there are fewer views than
            are asked for, their sizes do not fit, or no scorer is found.
    """

    # before LoggerHook (BELOW_NORMAL), which reads what is counted here; the order against
    # SampleSeedHook does not matter, for no global random stream is read or moved
    priority = 'NORMAL'

    def __init__(
        self,
        *,
        num_views_out: int = 2,
        objective: Objective = 'hardest',
        every_n_iters: int = 1,
        begin: int = 0,
        end: int | None = None,
        warmup: int = 0,
        by_epoch: bool = True,
        score_size: int | None = None,
        mix: float = 0.0,
        scorer: str | Mapping[str, Any] | ViewScorer = 'auto',
        strict: bool = True,
        per_global_recipe: bool = False,
        recipes: Sequence[int] | None = None,
        telemetry_interval: int = 10,
    ) -> None:
        check_integer('num_views_out', num_views_out, 2)
        check_integer('telemetry_interval', telemetry_interval, 0)
        if score_size is not None:
            check_integer('score_size', score_size, 1)
        check_objective(objective)
        self.num_views_out = num_views_out
        self.objective = objective
        self.schedule = Schedule(begin, end, warmup, every_n_iters, mix)
        self.by_epoch = by_epoch
        self.score_size = score_size
        self.scorer = scorer
        self.strict = strict
        self.per_global_recipe = per_global_recipe
        self.recipes = recipes
        self.telemetry = (
            HardViewTelemetry(interval=telemetry_interval) if telemetry_interval else None
        )
        self._stopwatch = Stopwatch()
        self._told = False
        self._not_finite: Tensor | None = None

    def before_train(self, runner: Runner) -> None:
        """Find the scorer and the recipes."""
        self._model: Any = unwrapped(runner.model)
        self._scorer = None
        if self.objective != 'random':
            self._scorer = build_scorer(self.scorer, self._model, strict=self.strict)
            if self.score_size is not None and getattr(self._scorer, 'reuse_teacher', False):
                raise ValueError(
                    '`reuse_teacher` needs scores at full size (`score_size=None`), but got '
                    f'score_size={self.score_size}'
                )
            if not self._scorer.multi_crop and self.num_views_out != 2:
                raise ValueError(
                    f'`num_views_out` must be 2 for {type(self._scorer).__name__}, which scores '
                    f'pairs, but got {self.num_views_out}'
                )
        self._recipes = self.recipes
        if self._recipes is None:
            self._recipes = view_recipes(runner.train_dataloader.dataset)
        if self.per_global_recipe and self._recipes is None:
            raise ValueError(
                '`per_global_recipe` finds no MultiView in the pipeline of the training data set: '
                'give `recipes`, one number a view, e.g. [0, 0, 1, 1]'
            )

    def before_train_iter(self, runner: Runner, batch_idx: int, data_batch: Any = None) -> None:
        """Replace the batch's candidate views by the chosen ones."""
        views = as_views(data_batch)
        count, num_locals = count_views(views, self.num_views_out, self._recipes)
        if self._scorer is not None and not self._scorer.multi_crop and count != len(views):
            raise ValueError(
                f'views must be of one size for {type(self._scorer).__name__}, but have the '
                f'shapes {[tuple(view.shape) for view in views]}'
            )
        first = first_views(count, num_locals, self._recipes)
        unit = len(runner.train_dataloader) if self.by_epoch else 1
        share = self.schedule.share(runner.iter, unit)
        self._not_finite = None
        if len(views) == self.num_views_out:
            self._tell_once(
                f'the pipeline makes {len(views)} views and as many are kept, so that there is no '
                'choice: raise `num_views` of MultiView'
            )
            share = 0
        if share == 0 or len(views[0]) == 1:
            data_batch['inputs'] = [views[i] for i in first]
            return
        views = self._model.data_preprocessor.cast_data(views)
        device = views[0].device
        seconds = self._stopwatch.start(device)
        chosen = torch.tensor(first, device=device).expand(len(views[0]), -1)
        recipes = None
        if self.per_global_recipe and self._recipes is not None:
            recipes = self._recipes[:count]
        ordered = self._scorer is not None and not self._scorer.symmetric
        pairs = candidate_pairs(count, recipes, ordered=ordered)
        losses = None
        if self._scorer is not None:
            generator = iteration_generator(runner.seed, runner.iter, get_rank())
            hard = (torch.rand(len(views[0]), generator=generator) < share).to(device)
            losses = self._losses(self._scorer, runner, views)
            options: dict[str, Any] = dict(objective=self.objective, generator=generator)
            if self._scorer.multi_crop:
                index = select_crops(losses, num_locals, recipes=recipes, **options)
            else:
                index = select_pair(losses, pairs=pairs, **options)
            finite = losses.flatten(1).isfinite().all(1)
            self._not_finite = (~finite).sum()
            chosen = torch.where((finite & hard)[:, None], index, chosen)
            self._scorer.hand_over(self._model, chosen)
        data_batch['inputs'] = gather_views(views[:count], chosen[:, :2])
        if num_locals:
            data_batch['inputs'] += gather_views(views[count:], chosen[:, 2:] - count)
        seconds += self._stopwatch.stop()
        if self.telemetry is not None:
            samples = data_batch.get('data_samples')
            self.telemetry.record(runner, chosen, losses, samples, views, seconds, pairs=pairs)

    def after_train_iter(
        self, runner: Runner, batch_idx: int, data_batch: Any = None, outputs: Any = None
    ) -> None:
        """Count the samples that could not be scored; the step has waited for the device."""
        if self._not_finite is None:
            return
        count = int(self._not_finite)
        runner.message_hub.update_scalar('train/hard_views/not_finite', count)
        if count:
            print_log(
                f'HardViewSelectionHook: the scores of {count} samples are not finite at '
                f'iteration {runner.iter + 1}; they keep random views.',
                logger='current',
                level=logging.WARNING,
            )

    def _tell_once(self, message: str) -> None:
        if not self._told:
            self._told = True
            print_log(f'{type(self).__name__}: {message}.', 'current', logging.WARNING)

    def _losses(self, scorer: ViewScorer, runner: Runner, views: list[Tensor]) -> Tensor:
        """(B, N, N) of pairs, or (B, G, V) of crops."""
        with scoring(self._model), runner.optim_wrapper.optim_context(self._model):
            prepared = prepare(self._model, views, self.score_size)
            score = scorer.crop_losses if scorer.multi_crop else scorer.pair_losses
            return score(self._model, prepared, **scorer.extras(views))
