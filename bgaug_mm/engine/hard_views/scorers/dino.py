"""Scorer of DINO."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from bgaug_mm.models.algorithms.self_distillation import count_globals
from bgaug_mm.registry import VIEW_SCORERS

from .multi_crop import cross_entropy_matrix, forward_by_size
from .self_distillation import SelfDistillationScorer


@VIEW_SCORERS.register_module()
class DINOScorer(SelfDistillationScorer):
    """DINO's loss of every global view as target of every other view, per sample.

    ``[b, t, s]`` is the cross-entropy between the teacher's centred and sharpened output for
    global view t and the student's for view s (Caron et al., ICCV 2021, equation 3). Neither the
    centre nor the teacher changes. Batch norms of the backbone see the candidates of one size
    together, as they see the views of one size in the step; those of a head with
    ``with_bn=True`` do too, though in the step they see all sizes at once.

    Args:
        reuse_teacher (bool): See
            :class:`~bgaug_mm.engine.hard_views.scorers.self_distillation.SelfDistillationScorer`.
            Defaults to False.
    """

    algorithms = ('DINO',)

    def crop_losses(self, model: Any, views: Sequence[Tensor]) -> Tensor:
        """See :meth:`MultiCropScorer.crop_losses`; the diagonal is 0."""
        num_globals = count_globals(views)
        images = torch.cat(list(views[:num_globals]))
        teacher = model.teacher_head(self.teacher_features(model, images, num_globals))
        teacher = teacher.view(num_globals, len(views[0]), -1)
        student = forward_by_size(model.student, views)
        loss = model.dino_loss
        matrix = cross_entropy_matrix(loss.teacher_probs(teacher), student / loss.student_temp)
        matrix.diagonal(dim1=1, dim2=2).zero_()  # a view is not compared with itself
        return matrix
