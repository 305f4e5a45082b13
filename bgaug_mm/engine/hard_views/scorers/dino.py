"""Scorer of DINO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from bgaug_mm.models.algorithms.self_distillation import count_globals
from bgaug_mm.registry import VIEW_SCORERS

from .multi_crop import MultiCropScorer, cross_entropy_matrix, forward_by_size


@VIEW_SCORERS.register_module()
class DINOScorer(MultiCropScorer):
    """DINO's loss of every global view as target of every other view, per sample.

    ``[b, t, s]`` is the cross-entropy between the teacher's centred and sharpened output for
    global view t and the student's for view s (Caron et al., ICCV 2021, equation 3). Neither the
    centre nor the teacher changes.
    """

    algorithms = ('DINO',)

    def crop_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """See :meth:`MultiCropScorer.crop_losses`; the diagonal is 0."""
        num_globals = count_globals(views)
        teacher = forward_by_size(model.teacher, views[:num_globals])
        student = forward_by_size(model.student, views)
        loss = model.dino_loss
        matrix = cross_entropy_matrix(loss.teacher_probs(teacher), student / loss.student_temp)
        matrix.diagonal(dim1=1, dim2=2).zero_()  # a view is not compared with itself
        return matrix
