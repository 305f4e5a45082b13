"""Cross-entropy between the distributions of a teacher and a student."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from mmengine.dist import all_reduce
from mmengine.logging import MessageHub
from torch import Tensor, nn

from bgaug_mm.registry import MODELS


@MODELS.register_module()
class DINOLoss(nn.Module):
    """Self-distillation with centring and sharpening.

    ``- P_t · log P_s`` with ``P_s = softmax(s / τ_s)`` and ``P_t = softmax((t - c) / τ_t)``,
    averaged over the batch and over all pairs of a teacher view and a student view that are
    not the same view. The centre c is a moving average of the mean of the teacher's outputs
    over the batch of all processes. Caron et al., "Emerging Properties in Self-Supervised
    Vision Transformers", ICCV 2021, section 3.1, equations 1 to 4.

    The teacher's temperature rises linearly over the first epochs, one value an epoch as in
    the released code; it is read off mmengine's message hub, so it is a function of the epoch
    and a resumed run continues exactly. In an iteration-based loop the epoch stays 0: set
    ``warmup_epochs=0`` there. Everything is computed in float32.

    Args:
        out_channels (int): Length K of the distributions.
        student_temp (float): τ_s. Defaults to 0.1.
        teacher_temp (float): τ_t after the warm-up. Defaults to 0.07.
        warmup_teacher_temp (float): τ_t in the first epoch. Defaults to 0.04.
        warmup_epochs (int): The warm-up reaches ``teacher_temp`` in the last of so many
            epochs; 0: no warm-up. Defaults to 30.
        center_momentum (float): Share of the old centre that an update keeps, in [0, 1].
            Defaults to 0.9.

    Raises:
        ValueError: If an option is out of range.
    """

    center: Tensor

    def __init__(
        self,
        *,
        out_channels: int,
        student_temp: float = 0.1,
        teacher_temp: float = 0.07,
        warmup_teacher_temp: float = 0.04,
        warmup_epochs: int = 30,
        center_momentum: float = 0.9,
    ) -> None:
        super().__init__()
        for name, value in (
            ('student_temp', student_temp),
            ('teacher_temp', teacher_temp),
            ('warmup_teacher_temp', warmup_teacher_temp),
        ):
            if not value > 0:
                raise ValueError(f'`{name}` must be above 0, but got {value}')
        if warmup_epochs < 0:
            raise ValueError(f'`warmup_epochs` must be at least 0, but got {warmup_epochs}')
        if not 0 <= center_momentum <= 1:
            raise ValueError(f'`center_momentum` must be in [0, 1], but got {center_momentum}')
        self.student_temp = student_temp
        self.final_teacher_temp = teacher_temp
        self.warmup_teacher_temp = warmup_teacher_temp
        self.warmup_epochs = warmup_epochs
        self.center_momentum = center_momentum
        self.register_buffer('center', torch.zeros(1, out_channels))

    @property
    def teacher_temp(self) -> float:
        """τ_t of the current epoch."""
        return self.teacher_temp_at(MessageHub.get_current_instance().get_info('epoch') or 0)

    def teacher_temp_at(self, epoch: int) -> float:
        """τ_t of an epoch, from 0."""
        if epoch >= self.warmup_epochs - 1:
            in_only_epoch = epoch < self.warmup_epochs == 1
            return self.warmup_teacher_temp if in_only_epoch else self.final_teacher_temp
        rise = self.final_teacher_temp - self.warmup_teacher_temp
        return self.warmup_teacher_temp + rise * epoch / (self.warmup_epochs - 1)

    def teacher_probs(self, logits: Tensor) -> Tensor:
        """The teacher's distributions (…, K), float32, without gradient; updates nothing."""
        return ((logits.detach().float() - self.center) / self.teacher_temp).softmax(-1)

    def cross_entropy(self, probs: Tensor, logits: Tensor) -> Tensor:
        """``- probs · log softmax(logits / τ_s)``, (…), float32; linear in ``probs``.

        Args:
            probs (Tensor): Targets (…, K), as of :meth:`teacher_probs`.
            logits (Tensor): The student's outputs (…, K).
        """
        return -(probs * (logits.float() / self.student_temp).log_softmax(-1)).sum(-1)

    def forward(self, student: Sequence[Tensor], teacher: Sequence[Tensor]) -> Tensor:
        """The mean loss over images and pairs of different views; the centre stays.

        Args:
            student (Sequence[Tensor]): Logits (B, K) of the V views, at least two.
            teacher (Sequence[Tensor]): Logits (B, K) of the first G of them.

        Returns:
            Tensor: Scalar, float32.
        """
        targets = [self.teacher_probs(logits) for logits in teacher]
        # linear in the target: one cross-entropy a view, against the sum of its targets
        loss = student[0].new_zeros((), dtype=torch.float32)
        for index, logits in enumerate(student):
            others = [target for t, target in enumerate(targets) if t != index]
            if others:
                loss = loss + self.cross_entropy(sum(others[1:], others[0]), logits).mean()
        return loss / (len(teacher) * (len(student) - 1))

    @torch.no_grad()
    def update_center(self, logits: Tensor) -> None:
        """Move the centre to the mean of the teacher's outputs (…, K) over all processes."""
        mean = logits.float().flatten(0, -2).mean(0, keepdim=True)
        all_reduce(mean, op='mean')
        self.center.lerp_(mean, 1 - self.center_momentum)
