"""Scorer of SwAV."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from bgaug_mm.models.algorithms.self_distillation import count_globals, group_by_size
from bgaug_mm.models.algorithms.upstream import criterion
from bgaug_mm.registry import VIEW_SCORERS

from .multi_crop import MultiCropScorer, cross_entropy_matrix


@VIEW_SCORERS.register_module()
class SwAVScorer(MultiCropScorer):
    """SwAV's swapped prediction, per sample (Caron et al., NeurIPS 2020, section 3).

    ``[b, t, s]`` is the cross-entropy between the code of global view t of sample b and the
    prediction from view s. The codes are those that the training step would compute: Sinkhorn-Knopp
    over the batch of view t and, once it is in use, the queue. Nothing is written: neither the
    queue nor the prototypes, which are normalised in a copy.

    Candidate t uses queue t mod 2 (the step's two crops have one each). Under distributed training
    the codes are of the rank's own samples, without communication; the step's come from the same
    iterations, whose row sums upstream does not reduce over the ranks either.
    """

    algorithms = ('SwAV',)

    def crop_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """See :meth:`MultiCropScorer.crop_losses`; the diagonal is 0.

        Raises:
            ValueError: If the loss takes its codes from other crops than the first two.
        """
        loss: Any = criterion(model.head)
        if sorted(loss.crops_for_assign) != [0, 1]:
            raise ValueError(
                '`crops_for_assign` must be [0, 1] for hard view selection, but got '
                f'{list(loss.crops_for_assign)}'
            )
        num_globals = count_globals(views)
        features = model.neck([model.backbone(torch.cat(group)) for group in group_by_size(views)])
        if isinstance(features, (list, tuple)):  # mmselfsup's neck
            features = features[0]
        prototypes = F.normalize(loss.prototypes.weight, dim=1)
        scores = F.linear(features, prototypes).float().view(len(views), -1, len(prototypes))
        codes = [_codes(loss, scores[view], view, prototypes) for view in range(num_globals)]
        matrix = cross_entropy_matrix(torch.stack(codes), scores / loss.temperature)
        matrix.diagonal(dim1=1, dim2=2).zero_()  # a view does not predict its own code
        return matrix


def _codes(loss: Any, scores: Tensor, view: int, prototypes: Tensor) -> Tensor:
    """(B, K) codes of one view's (B, K) scores."""
    count = len(scores)
    if loss.queue is not None:
        queue = loss.queue[view % len(loss.queue)]
        # upstream's condition: it has been full once
        if loss.use_queue or not torch.all(queue[-1] == 0):
            scores = torch.cat([F.linear(queue, prototypes).float(), scores])
    return sinkhorn(scores / loss.epsilon, loss.sinkhorn_iterations)[-count:]


def sinkhorn(logits: Tensor, iterations: int) -> Tensor:
    """Soft assignments of samples to prototypes with equal shares (Sinkhorn-Knopp).

    Args:
        logits (Tensor): (B, K) scores over epsilon.
        iterations (int): How often prototypes and samples are normalised.

    Returns:
        Tensor: (B, K); each row sums to 1.
    """
    weights = (logits - logits.max()).exp()  # a common factor goes out with the first division
    tiny = torch.finfo(weights.dtype).tiny  # of a prototype that no sample is near
    for _ in range(iterations):
        weights = weights / weights.sum(0, keepdim=True).clamp_min(tiny)
        weights = weights / weights.sum(1, keepdim=True).clamp_min(tiny)
    return weights
