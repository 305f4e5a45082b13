"""BYOL and SimSiam with mixtures of images, over mmselfsup's or mmpretrain's class."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from bgaug_mm.registry import MODELS

from .mixture import Mixture
from .upstream import combine, lazy_class, recorded, upstream_module

MIXTURES = ('unmix', 'mixsiam')

#: Upstream's losses are 2·(l1 + l2) in BYOL and ½·(l1 + l2) in SimSiam, with a head's loss l
#: a direction: what a single l weighs when it stands for both directions.
_WEIGHTS = {'byol': 4.0, 'simsiam': 1.0}


class Mixing(nn.Module):
    """Goes before upstream's BYOL or SimSiam; see :func:`ImageMixture`.

    Upstream's ``loss`` runs untouched. A hook takes the targets that it computes; one more
    forward pass gives the features of the mixture, which upstream's head holds against them.
    """

    # upstream's, untyped
    backbone: nn.Module
    neck: nn.Module
    head: Any

    def __init__(
        self,
        *,
        mixture: str = 'unmix',
        alpha: float = 1.0,
        region_prob: float = 0.5,
        mixture_weight: float = 1.0,
        **algorithm: Any,
    ) -> None:
        if mixture not in MIXTURES:
            raise ValueError(f'`mixture` must be one of {MIXTURES}, but got {mixture!r}')
        if alpha <= 0:
            raise ValueError(f'`alpha` must be above 0, but got {alpha}')
        if not 0 <= region_prob <= 1:
            raise ValueError(f'`region_prob` must be in [0, 1], but got {region_prob}')
        if mixture_weight < 0:
            raise ValueError(f'`mixture_weight` must be >= 0, but got {mixture_weight}')
        super().__init__(**algorithm)
        self.mixture = mixture
        self.alpha = alpha
        self.region_prob = region_prob
        self.mixture_weight = mixture_weight

    def loss(
        self, inputs: list[Tensor], data_samples: list[Any], **kwargs: Any
    ) -> dict[str, Tensor]:
        """Upstream's loss, and that of the mixture.

        Args:
            inputs (list[Tensor]): Two views, (B, 3, H, W).
            data_samples (list): Handed to upstream.
            **kwargs: Handed to upstream.

        Returns:
            dict[str, Tensor]: ``loss_byol`` or ``loss_simsiam`` (upstream's value) and
            ``loss_mixture``; with ``mixture_weight=0`` what upstream returns.
        """
        upstream = super().loss  # type: ignore[misc]
        if self.mixture_weight == 0:
            return upstream(inputs, data_samples, **kwargs)
        with recorded(getattr(self, 'target_net', self.neck), lambda _, out: out[0]) as targets:
            losses = upstream(inputs, data_samples, **kwargs)
        name = upstream_module(self).__name__.rpartition('.')[2]
        first, second = targets
        view, other = inputs[:2]
        size = (view.shape[2], view.shape[3])
        drawn = Mixture.draw(size, alpha=self.alpha, region_prob=self.region_prob)
        if self.mixture == 'unmix':
            mixed = self._features(drawn.apply(view, view.flip(0)))
            term = drawn.share * self._compare(mixed, second)
            term = term + (1 - drawn.share) * self._compare(mixed, second.flip(0))
        else:
            mixed = self._features(drawn.apply(view, other))
            term = self._compare(mixed, torch.maximum(first, second))
        # not as `loss`: mmengine would log upstream's part under the name of the sum
        return {
            f'loss_{name}': losses['loss'],
            'loss_mixture': self.mixture_weight * _WEIGHTS[name] * term,
        }

    def _features(self, images: Tensor) -> Tensor:
        return self.neck(self.backbone(images))[0]

    def _compare(self, features: Tensor, target: Tensor) -> Tensor:
        # mmpretrain's heads compute the loss in `loss`, mmselfsup's in `forward`
        head = self.head.loss if hasattr(self.head, 'loss_module') else self.head
        return head(features, target.detach())


@MODELS.register_module()
def ImageMixture(*, algorithm: str = 'mmselfsup.BYOL', **options: Any) -> nn.Module:  # noqa: N802
    """BYOL or SimSiam with mixtures of images, over upstream's own class.

    ``'unmix'``: Shen et al., "Un-Mix: Rethinking Image Mixtures for Unsupervised Visual
    Representation Learning", AAAI 2022, arXiv 2003.05438. The first views are mixed with
    those of the reversed batch, by λ ~ Beta(α, α), one λ a batch; the mixture's loss is
    ``λ · L(mix, t2) + (1 - λ) · L(mix, reversed t2)``, t2 the targets of the second views,
    and is added to upstream's. A mixture is global (mixup) or a region (CutMix). The
    authors' code puts the mixture through both sides of the loss; ours only in as the input
    of the prediction, at the weight of both sides: one forward pass more, and the targets
    stay features of whole images.

    ``'mixsiam'``: Guo et al., "MixSiam: A Mixture-based Approach to Self-supervised
    Representation Learning", arXiv 2111.02679. The two views of an image are mixed, and the
    target is the element-wise maximum of their features. Our choices, for no code was
    released: the mixture is drawn like Un-Mix's, the maximum is over the projections that
    upstream takes as targets, and the loss is added to upstream's.

    In both, L weighs as much as upstream's loss of both directions, so that with
    ``mixture_weight=1`` equal similarities give equal parts. The extra forward pass updates
    the running statistics of the online network's batch norms; the target network is moved
    once a step, by upstream.

    Use it over an inherited config of upstream, whose types stay upstream's::

        model = dict(type='bgaug_mm.ImageMixture', algorithm='mmselfsup.SimSiam')

    Args:
        algorithm (str): ``'mmselfsup.BYOL'``, ``'mmselfsup.SimSiam'``, ``'mmpretrain.BYOL'``
            or ``'mmpretrain.SimSiam'``. Defaults to ``'mmselfsup.BYOL'``.
        mixture (str): ``'unmix'`` or ``'mixsiam'``. Defaults to ``'unmix'``.
        alpha (float): α of λ ~ Beta(α, α). Defaults to 1.
        region_prob (float): Probability that a mixture is a region. Defaults to 0.5.
        mixture_weight (float): Weight of the mixture's loss; 0 is upstream's algorithm.
            Defaults to 1.
        **options: Arguments of upstream's algorithm.

    Returns:
        nn.Module: The model.

    Raises:
        ValueError: If an option is out of range or the algorithm unknown.
        ImportError: If the library is not installed.
    """
    if algorithm.partition('.')[2] not in ('BYOL', 'SimSiam'):
        raise ValueError(
            f"`algorithm` must be a library's BYOL or SimSiam, e.g. 'mmselfsup.BYOL', but got "
            f'{algorithm!r}'
        )
    return combine(Mixing, algorithm)(**options)


def __getattr__(name: str) -> type:
    return lazy_class(Mixing, name)
