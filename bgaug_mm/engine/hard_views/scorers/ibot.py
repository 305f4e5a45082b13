"""Scorer of iBOT."""

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
class IBOTScorer(SelfDistillationScorer):
    """iBOT's two losses, per sample (Zhou et al., ICLR 2022, equations 2 and 3).

    Off the diagonal λ1 times DINO's cross-entropies of the class tokens, the student's global
    views masked by their own block masks; on the diagonal λ2 times the mean loss of the
    masked patches of a global view, which concerns no other view. Only masked patches go
    through the heads.

    Args:
        reuse_teacher (bool): See
            :class:`~bgaug_mm.engine.hard_views.scorers.self_distillation.SelfDistillationScorer`.
            Defaults to False.
    """

    algorithms = ('IBOT',)

    def extras(self, views: Sequence[Tensor]) -> dict[str, Any]:
        """The block masks: the last channel of the global views.

        Raises:
            ValueError: If they have none.
        """
        masks = [view[:, -1].bool() for view in views[: count_globals(views)]]
        if views[0].shape[1] < 4:
            raise ValueError(
                'the global views have no block masks: pack with '
                "`dict(type='bgaug_mm.PackSaliencyInputs', with_block_mask=True)`"
            )
        return dict(block_masks=masks)

    def crop_losses(
        self, model: Any, views: Sequence[Tensor], block_masks: Sequence[Tensor] = ()
    ) -> Tensor:
        """See :meth:`MultiCropScorer.crop_losses`.

        Args:
            model: The unwrapped algorithm.
            views (Sequence[Tensor]): V preprocessed view batches, the G global ones first.
            block_masks (Sequence[Tensor]): Masks (B, H, W) bool of the global views.
        """
        num_globals = count_globals(views)
        # all globals in one batch, as in the step
        images = torch.cat(list(views[:num_globals]))
        masks = model.patch_masks(torch.cat(list(block_masks)), images.shape[2:])
        teacher = self.teacher_features(model, images, num_globals)
        tokens = model.tokens(images, masks)
        student = model.head(tokens[:, 0]).view(num_globals, len(views[0]), -1)
        if len(views) > num_globals:
            seen = forward_by_size(lambda view: model.tokens(view)[:, 0], views[num_globals:])
            student = torch.cat([student, model.head(seen)])
        loss = model.dino_loss
        logits = model.teacher_head(teacher[:, 0]).view(num_globals, len(views[0]), -1)
        matrix = cross_entropy_matrix(loss.teacher_probs(logits), student / loss.student_temp)
        patches = model.masked_losses(
            model.head(tokens[:, 1:][masks]), model.teacher_head(teacher[:, 1:][masks]), masks
        )
        own = patches.view(num_globals, -1).t()
        matrix = model.cls_weight * matrix
        matrix.diagonal(dim1=1, dim2=2).copy_(model.patch_weight * own)
        return matrix
