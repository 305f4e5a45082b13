"""What a scorer is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn


class ViewScorer:
    """Turns views into the losses that an algorithm takes for them, sample by sample.

    Called inside :func:`~bgaug_mm.engine.hard_views.scoring`, under the autocast of the
    training step, with the unwrapped model and preprocessed views. A scorer for pairs
    implements ``pair_losses`` (most: :class:`PairScorer`), one for multi-crop sets
    ``multi_crop`` and implements ``crop_losses``.

    Whatever runs over processes in the algorithm's loss is left out: negatives, statistics
    and correlations are those of this process' batch, which needs no communication.
    """

    #: Names of the algorithms' classes, of any library; subclasses are found by their bases.
    algorithms: tuple[str, ...] = ()
    #: Whether views of several sizes are scored, by ``crop_losses``.
    multi_crop: bool = False
    #: Whether the losses of (i, j) and (j, i) are equal.
    symmetric: bool = True

    def extras(self, views: Sequence[Tensor]) -> dict[str, Any]:
        """What else the losses take, as keywords, from the views before the preprocessing.

        Args:
            views (Sequence[Tensor]): (B, C, H, W) uint8 each.
        """
        return {}

    def hand_over(self, model: Any, chosen: Tensor) -> None:
        """Give the step what scoring computed of the chosen views; by default nothing.

        Args:
            model: The unwrapped algorithm.
            chosen (Tensor): (B, K) indices of the views of the step.
        """

    def pair_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """Loss of each ordered pair of views.

        Args:
            model: The unwrapped algorithm.
            views (Sequence[Tensor]): N views, (B, 3, H, W) float each, as the data
                preprocessor makes them.

        Returns:
            Tensor: (B, N, N) float32; [b, i, j] is sample b's loss for view i first and view
            j second, whose mean over b is the algorithm's loss for that pair. The diagonal
            means nothing.
        """
        raise NotImplementedError(f'{type(self).__name__} does not score pairs')

    def crop_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """Loss of each student view against each global view's teacher.

        Args:
            model: The unwrapped algorithm.
            views (Sequence[Tensor]): V views, the G globals first.

        Returns:
            Tensor: (B, G, V) float32; [b, t, s] is the loss of view s towards the target
            made from global view t.
        """
        raise NotImplementedError(f'{type(self).__name__} does not score crops')


class PairScorer(ViewScorer, ABC):
    """Scores pairs from features: N forward passes serve all N·N pairs."""

    @abstractmethod
    def features(self, model: Any, view: Tensor) -> tuple[Tensor, ...]:
        """What the loss needs of one view, each (B, D).

        Args:
            model: The unwrapped algorithm.
            view (Tensor): (B, 3, H, W).
        """

    @abstractmethod
    def losses(self, model: Any, features: tuple[Tensor, ...]) -> Tensor:
        """Losses from the features of all views; in float32, also under autocast.

        Args:
            model: The unwrapped algorithm.
            features (tuple[Tensor, ...]): As ``features`` returns them, stacked over the
                views: (N, B, D) float32.

        Returns:
            Tensor: (B, N, N).
        """

    def pair_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """See :class:`ViewScorer`."""
        of_views = [self.features(model, view) for view in views]
        features = tuple(torch.stack(kind).float() for kind in zip(*of_views, strict=True))
        with torch.autocast(device_type=views[0].device.type, enabled=False):
            return self.losses(model, features)


def online_projection(model: nn.Module, view: Tensor) -> Tensor:
    """What the neck makes of a view, (B, D); of upstream's algorithms alike."""
    return model.neck(model.backbone(view))[0]  # type: ignore[operator]
