"""DINO: self-distillation without labels."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.model import BaseModel
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from bgaug_mm.registry import MODELS

from .self_distillation import check_views, cosine, count_globals, current_iteration, group_by_size


@MODELS.register_module()
class DINO(BaseModel):
    """DINO, over any backbone of mmpretrain or mmcls.

    Caron et al., "Emerging Properties in Self-Supervised Vision Transformers", ICCV 2021,
    section 3. The teacher sees the global views, the student all; see
    :class:`~bgaug_mm.models.losses.DINOLoss` for the loss and
    :class:`~bgaug_mm.models.heads.DINOHead` for the head. The global views are the first
    ones, as long as they have the size of the first; any number of smaller ones may follow.
    Views of one size go through the backbone together.

    The teacher is a moving average of the student, with a momentum that follows half a cosine
    from ``base_momentum`` to 1, a function of the iteration (a resumed run continues
    exactly). As in upstream's algorithms the teacher moves at the beginning of ``loss``: what
    an iteration k >= 1 sees is what the released code leaves after iteration k - 1, at the
    momentum of k - 1; only the very last move is left out. Buffers are the teacher's own,
    DropPath and Dropout are off in it, its BatchNorm takes batch statistics in training.

    ``backbone`` and ``head`` are the student, ``teacher_backbone`` and ``teacher_head`` the
    teacher, which has no gradient. The rest of the published recipe is in the config:
    weight decay by ``CosineAnnealingParamScheduler``, the gradient clip by
    ``optim_wrapper``, the last layer's first epoch by
    :class:`~bgaug_mm.engine.hooks.FreezeLastLayerHook`.

    Args:
        backbone (dict): Config of the backbone. Of its last output are taken: (B, C) as it
            is, (B, C, H, W) averaged, of tokens (B, N, C) the first one, the class token.
        head (dict): Config of the head, e.g. ``dict(type='bgaug_mm.DINOHead',
            in_channels=384)``.
        loss (dict, optional): Options of :class:`~bgaug_mm.models.losses.DINOLoss`. Defaults
            to None: its defaults.
        base_momentum (float): Share of the old teacher that the first update keeps, in
            [0, 1]. Defaults to 0.996. With gradient accumulation over n iterations the
            teacher still moves in each: take its n-th root.
        data_preprocessor (dict, optional): E.g. mmpretrain's SelfSupDataPreprocessor or ours.
            Defaults to None: mmengine's, which does not normalise.
        init_cfg (dict, optional): Initialisation of the weights. Defaults to None.

    Raises:
        ValueError: If ``base_momentum`` is out of range; in training if there are less than
            two views.
    """

    def __init__(
        self,
        *,
        backbone: Mapping[str, Any],
        head: Mapping[str, Any],
        loss: Mapping[str, Any] | None = None,
        base_momentum: float = 0.996,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(data_preprocessor=data_preprocessor, init_cfg=init_cfg)
        if not 0 <= base_momentum <= 1:
            raise ValueError(f'`base_momentum` must be in [0, 1], but got {base_momentum}')
        self.base_momentum = base_momentum
        self.backbone = MODELS.build(backbone)
        self.head = MODELS.build(head)
        self.teacher_backbone = copy.deepcopy(self.backbone).requires_grad_(False)
        self.teacher_head = copy.deepcopy(self.head).requires_grad_(False)
        self.dino_loss = self._build_loss(loss)
        self._ready: Tensor | None = None
        self.train()

    def _build_loss(self, options: Mapping[str, Any] | None) -> Any:
        defaults = dict(type='bgaug_mm.DINOLoss', out_channels=self.head.out_channels)
        return MODELS.build({**defaults, **(options or {})})

    def init_weights(self) -> None:
        """Initialise the student; the teacher begins as its copy."""
        super().init_weights()
        self.teacher_backbone.load_state_dict(self.backbone.state_dict())
        self.teacher_head.load_state_dict(self.head.state_dict())

    def train(self, mode: bool = True) -> DINO:
        """As of any module, but of the teacher only BatchNorm ever trains."""
        super().train(mode)
        for part in (self.teacher_backbone, self.teacher_head):
            part.eval()
            for module in part.modules():
                if isinstance(module, _BatchNorm):
                    module.train(mode)
        return self

    def student(self, views: Tensor) -> Tensor:
        """The student's logits (B, K) of views (B, 3, H, W)."""
        return self.head(_pooled(self.backbone(views)))

    @torch.no_grad()
    def teacher(self, views: Tensor) -> Tensor:
        """The teacher's logits (B, K) of views (B, 3, H, W), without gradient."""
        return self.teacher_head(self.teacher_features(views))

    @torch.no_grad()
    def teacher_features(self, views: Tensor) -> Tensor:
        """What the teacher's head takes, of views (B, 3, H, W), without gradient."""
        return _pooled(self.teacher_backbone(views))

    def reuse_teacher(self, features: Tensor) -> None:
        """Spare the next ``loss`` the teacher's pass over its global views.

        The teacher must have moved (:meth:`update_teacher`) before these features were made;
        ``loss`` does not move it again.

        Args:
            features (Tensor): :meth:`teacher_features` of the G global views, (G·B, …).
        """
        self._ready = features

    def _features_in_step(self, views: Sequence[Tensor]) -> Tensor:
        """Move the teacher and pass the global views through it, unless that was done."""
        features, self._ready = self._ready, None
        if features is None:
            self.update_teacher()
            return self.teacher_features(torch.cat(list(views)))
        if len(features) != sum(map(len, views)):
            raise ValueError(
                f'the features given to `reuse_teacher` are of {len(features)} views, but '
                f'{sum(map(len, views))} are global'
            )
        return features

    def forward(
        self, inputs: Any, data_samples: Any = None, mode: str = 'tensor', **options: Any
    ) -> Any:
        """The loss, or the backbone's features.

        Args:
            inputs (list[Tensor] | Tensor): The preprocessed views of a batch; one tensor
                with ``mode='tensor'``.
            data_samples (Any): Not used. Defaults to None.
            mode (str): ``'loss'`` or ``'tensor'``. Defaults to 'tensor'.

        Raises:
            ValueError: For another mode.
        """
        if mode == 'loss':
            return self.loss(inputs, data_samples, **options)
        if mode == 'tensor':
            return self.extract_feat(inputs)
        raise ValueError(f"`mode` must be 'loss' or 'tensor', but got {mode!r}")

    def extract_feat(self, inputs: Tensor) -> Any:
        """The student backbone's output for images (B, 3, H, W)."""
        return self.backbone(inputs)

    def loss(self, inputs: Sequence[Tensor], data_samples: Any = None) -> dict[str, Tensor]:
        """One step: move the teacher, compare, move the centre.

        Args:
            inputs (Sequence[Tensor]): Views (B, 3, H, W), the global ones first.
            data_samples (Any): Not used. Defaults to None.

        Returns:
            dict[str, Tensor]: ``loss``.
        """
        views = check_views(inputs)
        num_globals = count_globals(views)
        with torch.no_grad():
            teacher = self.teacher_head(self._features_in_step(views[:num_globals]))
        features = [_pooled(self.backbone(torch.cat(group))) for group in group_by_size(views)]
        student = self.head(torch.cat(features))
        loss = self.dino_loss(student.chunk(len(views)), teacher.chunk(num_globals))
        self.dino_loss.update_center(teacher)
        return {'loss': loss}

    def momentum_at(self, iteration: int, max_iters: int) -> float:
        """Share of the old teacher that the update behind that iteration (from 0) keeps."""
        return cosine(self.base_momentum, 1.0, iteration / max_iters)

    @torch.no_grad()
    def update_teacher(self) -> None:
        """Move the teacher towards the student, as behind the iteration before this one."""
        iteration, max_iters = current_iteration()
        if iteration == 0:  # nothing was learnt yet
            return
        momentum = self.momentum_at(iteration - 1, max_iters)
        for teacher, student in (
            (self.teacher_backbone, self.backbone),
            (self.teacher_head, self.head),
        ):
            for old, new in zip(teacher.parameters(), student.parameters(), strict=True):
                old.lerp_(new, 1 - momentum)


def _pooled(output: Any) -> Tensor:
    """Features (B, C) of a backbone's output."""
    while isinstance(output, (tuple, list)):  # the last stage, the last kind of it
        output = output[-1]
    features: Tensor = output
    if features.dim() == 4:
        return features.mean((2, 3))
    return features[:, 0] if features.dim() == 3 else features
