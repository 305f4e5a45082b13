"""What hard view selection selects: figures for the training log."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from mmengine.runner import Runner
from torch import Tensor

#: In front of every figure's name in the message hub; the log drops ``train/``.
PREFIX = 'train/hard_views/'


def pair_iou(boxes: Tensor) -> Tensor:
    """Intersection over union of every pair of boxes of a sample.

    Args:
        boxes: (B, N, 4), x1, y1, x2, y2 with ends exclusive, pixels of the image the
            crops were taken from.

    Returns:
        (B, N, N) float32 in [0, 1]; 0 where both boxes are empty.
    """
    boxes = boxes.float()
    first, second = boxes[:, :, None], boxes[:, None]
    low = torch.maximum(first[..., :2], second[..., :2])
    high = torch.minimum(first[..., 2:], second[..., 2:])
    overlap = (high - low).clamp(min=0).prod(-1)
    area = (boxes[..., 2:] - boxes[..., :2]).clamp(min=0).prod(-1)
    union = area[:, :, None] + area[:, None] - overlap
    return overlap / union.clamp(min=1e-12)


def colour_distance(views: Sequence[Tensor]) -> Tensor:
    """Distance of the mean colours of every pair of views of a sample.

    Args:
        views: N tensors (B, C, H, W), uint8 or float in [0, 255]; their sizes may
            differ. The first three channels count (a mask may be the fourth).

    Returns:
        (B, N, N) float32, Euclidean distance of the mean RGB, in grey levels:
        0 … 255·√3. Of views from 112 px on, means are over every second (third, …)
        row and column: enough for a mean, and as cheap as small views.
    """
    steps = [max(1, view.shape[2] // 56) for view in views]
    means = torch.stack(
        [
            view[:, :3, ::step, ::step].float().mean((2, 3))
            for view, step in zip(views, steps, strict=True)
        ],
        1,
    )
    return (means[:, :, None] - means[:, None]).norm(dim=-1)


def crop_boxes(data_samples: Any, num_views: int) -> Tensor | None:
    """The views' crop boxes from the metainfo of a batch.

    Args:
        data_samples: Sequence of B data elements; `crop_bbox` in their metainfo is a
            sequence of N boxes (x1, y1, x2, y2), as ``bgaug_mm.RandomResizedCrop`` and
            ``bgaug_mm.MultiView`` leave it.
        num_views: N.

    Returns:
        (B, N, 4) float32 on the CPU; None when a sample has no boxes, or not N of them.
    """
    boxes = [sample.get('crop_bbox') for sample in data_samples or ()]
    if not boxes or any(
        box is None or len(box) != num_views or any(view is None for view in box) for box in boxes
    ):
        return None
    return torch.from_numpy(np.asarray(boxes, np.float32))


class HardViewTelemetry:
    """Average what was chosen against the rest, and hand it to the log.

    Figures of the chosen pair are compared with those of the same sample's other
    pairs (of the candidates, where these are fewer than all). With multi-crop, views of
    the first view's size are the pairs; smaller views (locals) are held against the
    chosen large ones. Sums stay on the views' device; every ``interval`` recorded
    iterations they are read (the one wait for the device) and join the message hub as
    scalars ``train/hard_views/…``, so that the JSON log and TensorBoard show them:

    ==================== ============================================================
    ``iou_chosen``       mean IoU of the chosen pairs' crops, in [0, 1]
    ``iou_rest``         of the other pairs
    ``least_overlap``    share of samples whose chosen pair has the smallest IoU of all
                         (ties count); 1/(number of pairs) by chance
    ``colour_chosen``    mean distance of the chosen pairs' mean RGB, in grey levels
    ``colour_rest``      of the other pairs
    ``local_iou_chosen`` mean IoU of chosen local crops with the chosen large ones
    ``local_iou_rest``   of the local crops left out
    ``gain``             mean loss of the chosen pairs, both orders, minus the mean over
                         the pairs, in the loss' own unit; without samples whose losses
                         are not finite. Multi-crop: over (large, any other view)
    ``wins_0`` …         share of samples that view 0, 1, … was chosen in (``wins_00`` …
                         with more than ten views)
    ``time_share``       seconds of selection over seconds of training
    ==================== ============================================================

    IoU figures need the crop boxes (:func:`crop_boxes`), ``gain`` the losses; without
    them they are left out. Each process counts its own samples; rank 0 writes the log.

    Source of the comparison: Ferreira et al., Beyond Random Augmentations: Pretraining
    with Hard Views (ICLR 2025), which reports a chosen pair's IoU of .35 against .49.
    The time share and the winners are ours.

    Args:
        interval: Recorded iterations between two writings, from 1. Default 10, as the
            logger's.

    Raises:
        ValueError: `interval` is out of range.
    """

    def __init__(self, *, interval: int = 10) -> None:
        if not isinstance(interval, int) or interval < 1:
            raise ValueError(f'`interval` must be an integer from 1, but got {interval!r}')
        self.interval = interval
        self._totals: dict[str, Tensor] = {}  # name: (sum, count)
        self._recorded = 0
        self._seconds = 0.0
        self._since: float | None = None

    def record(
        self,
        runner: Runner,
        chosen: Tensor,
        losses: Tensor | None,
        data_samples: Any,
        views: Sequence[Tensor],
        seconds: float,
        *,
        pairs: Tensor | None = None,
    ) -> None:
        """Take in one iteration's selection.

        Args:
            runner: Its message hub takes the figures.
            chosen: (B, K) int, indices of the views that train.
            losses: (B, N, N) losses of the pairs, with multi-crop (B, G, N) those of the G
                large views with all views, or None.
            data_samples: The batch's, for the crop boxes.
            views: The N candidate views (B, C, H, W) as loaded.
            seconds: What scoring and choosing took.
            pairs: (P, 2) int, candidate pairs. Default: all pairs.
        """
        if self._since is None:
            self._since = time.perf_counter()  # what came before is not known in full
        else:
            self._seconds += seconds
        with torch.no_grad():
            self._add(chosen, losses, crop_boxes(data_samples, len(views)), views, pairs)
        self._recorded += 1
        if self._recorded % self.interval == 0:
            self._write(runner)

    def _add(
        self,
        chosen: Tensor,
        losses: Tensor | None,
        boxes: Tensor | None,
        views: Sequence[Tensor],
        pairs: Tensor | None,
    ) -> None:
        device, count = views[0].device, len(views)
        won = torch.zeros(len(views[0]), count, device=device)
        won.scatter_(1, chosen.to(device), 1.0)
        digits = len(str(count - 1))  # so that names sort
        for index in range(count):
            self._sum(f'wins_{index:0{digits}}', won[:, index])

        sizes = [view.shape == views[0].shape for view in views]
        large = torch.tensor(sizes, device=device)
        compared = (large[:, None] & large).triu(1)
        if pairs is not None:
            listed = torch.zeros_like(compared)
            low_high = pairs.to(device).sort(1).values
            listed[low_high[:, 0], low_high[:, 1]] = True
            compared &= listed
        together = won[:, :, None] * won[:, None]
        taken = together * compared
        rest = compared.float() - taken

        self._mean('colour_chosen', 'colour_rest', colour_distance(views), taken, rest)
        if losses is not None:
            allowed = ~torch.eye(count, dtype=torch.bool, device=device)
            if all(sizes):
                allowed &= compared | compared.T
            self._gain(losses.to(device), together, allowed)
        if boxes is None:
            return
        iou = pair_iou(boxes.to(device, non_blocking=True))
        self._mean('iou_chosen', 'iou_rest', iou, taken, rest)
        # 2 stands for no pair: more than any IoU
        least = iou.masked_fill(~compared, 2).flatten(1).min(1).values
        lowest_taken = iou.masked_fill(taken == 0, 2).flatten(1).min(1).values
        self._sum('least_overlap', (lowest_taken <= least).float())
        if not all(sizes):
            with_chosen = (won * large)[:, None] * (~large)[:, None].float()  # (B, local, large)
            inside = won[:, :, None] * with_chosen
            self._mean('local_iou_chosen', 'local_iou_rest', iou, inside, with_chosen - inside)

    def _gain(self, losses: Tensor, together: Tensor, allowed: Tensor) -> None:
        rows = losses.shape[1]  # all views, or with multi-crop the large ones
        allowed = allowed[:rows]
        taken = together[:, :rows] * allowed
        losses = losses.masked_fill(~allowed, 0)
        finite = losses.isfinite().all(2).all(1)
        losses = losses.masked_fill(~finite[:, None, None], 0)
        mean = losses.sum((1, 2)) / allowed.sum()
        chosen = (losses * taken).sum((1, 2)) / taken.sum((1, 2)).clamp(min=1)
        self._total('gain', torch.stack([(chosen - mean).sum(), finite.float().sum()]))

    def _mean(self, name: str, other: str, values: Tensor, taken: Tensor, rest: Tensor) -> None:
        for key, weights in ((name, taken), (other, rest)):
            self._total(key, torch.stack([(values * weights).sum(), weights.sum()]))

    def _sum(self, name: str, values: Tensor) -> None:
        count = values.new_tensor(len(values))
        self._total(name, torch.stack([values.sum(), count]))

    def _total(self, name: str, total: Tensor) -> None:
        self._totals[name] = self._totals[name] + total if name in self._totals else total

    def _write(self, runner: Runner) -> None:
        names = sorted(self._totals)
        for name, (total, count) in zip(
            names, torch.stack([self._totals[name] for name in names]).tolist(), strict=True
        ):
            if count > 0:
                runner.message_hub.update_scalar(PREFIX + name, total / count)
        now = time.perf_counter()
        if self._since is not None and self._seconds > 0:
            runner.message_hub.update_scalar(
                f'{PREFIX}time_share', self._seconds / (now - self._since)
            )
        self._totals, self._seconds, self._since = {}, 0.0, now
