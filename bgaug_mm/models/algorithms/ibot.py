"""iBOT: self-distillation of images and of masked patches."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from bgaug_mm.models.data_preprocessors.block_mask_data_preprocessor import (
    BlockMaskDataPreprocessor,
)
from bgaug_mm.registry import MODELS

from .dino import DINO
from .self_distillation import check_views, count_globals, group_by_size


@MODELS.register_module()
class IBOT(DINO):
    """iBOT, over mmpretrain's VisionTransformer.

    Zhou et al., "iBOT: Image BERT Pre-Training with Online Tokenizer", ICLR 2022, section 3.
    DINO's loss on the class tokens (the student's global views are masked), and for each
    global view the cross-entropy between the teacher's distribution of a patch, seen, and the
    student's, masked: averaged over the masked patches of a view, over the images (0 for one
    without masked patches) and over the global views (equation 2). One head serves class
    token and patches; patches have their own centre. The student's patches go through the
    head only where they are masked: the others have no part in the loss.

    The masks come with the views, as their last channel: ``bgaug_mm.RandomBlockMask`` last in
    the pipelines of the global views, then ``bgaug_mm.PackSaliencyInputs`` with
    ``with_block_mask=True``. A mask so belongs to its view, wherever a selection among views
    puts that. The model takes the channel off in front of its data preprocessor
    (:class:`~bgaug_mm.models.data_preprocessors.BlockMaskDataPreprocessor`).

    Everything else is as in :class:`~bgaug_mm.models.algorithms.DINO`.

    Args:
        backbone (dict): Config of a VisionTransformer of mmpretrain with ``out_type='raw'``:
            class token and patches.
        head (dict): Config of the head.
        loss (dict, optional): Options of :class:`~bgaug_mm.models.losses.DINOLoss` for the
            class tokens. Defaults to None: its defaults.
        patch_loss (dict, optional): Those for the patches. Defaults to None: its defaults.
        cls_weight (float): λ1, weight of the class tokens' loss, at least 0. Defaults to 1.
        patch_weight (float): λ2, weight of the patches' loss, at least 0. Defaults to 1.
        base_momentum (float): As in DINO. Defaults to 0.996.
        data_preprocessor (dict, optional): E.g. mmpretrain's SelfSupDataPreprocessor or ours;
            sees the views without the block masks. Defaults to None: mmengine's.
        init_cfg (dict, optional): Initialisation of the weights. Defaults to None.

    Raises:
        ValueError: If an option is out of range, the backbone gives no patches; in training
            if the masks are missing or do not fit the backbone's patches.
    """

    def __init__(
        self,
        *,
        backbone: Mapping[str, Any],
        head: Mapping[str, Any],
        loss: Mapping[str, Any] | None = None,
        patch_loss: Mapping[str, Any] | None = None,
        cls_weight: float = 1.0,
        patch_weight: float = 1.0,
        base_momentum: float = 0.996,
        data_preprocessor: dict[str, Any] | nn.Module | None = None,
        init_cfg: dict[str, Any] | None = None,
    ) -> None:
        for name, value in (('cls_weight', cls_weight), ('patch_weight', patch_weight)):
            if value < 0:
                raise ValueError(f'`{name}` must be at least 0, but got {value}')
        super().__init__(
            backbone=backbone,
            head=head,
            loss=loss,
            base_momentum=base_momentum,
            data_preprocessor=BlockMaskDataPreprocessor(base=data_preprocessor),
            init_cfg=init_cfg,
        )
        if getattr(self.backbone, 'out_type', None) != 'raw':
            raise ValueError(
                "`backbone` must be a VisionTransformer with out_type='raw' (class token and "
                f'patches), but got {type(self.backbone).__name__} with '
                f'out_type={getattr(self.backbone, "out_type", None)!r}'
            )
        self.cls_weight = cls_weight
        self.patch_weight = patch_weight
        self.patch_loss = self._build_loss(patch_loss)
        #: In the place of a masked patch's embedding; ours, so that ``backbone`` stays a
        #: plain VisionTransformer in checkpoints. Zeros at first, as in the released code.
        self.mask_token = nn.Parameter(torch.zeros(1, 1, self.backbone.embed_dims))
        self._masks: Tensor | None = None
        self._masks_fit = False
        # for good, not around a forward: a compiled backbone looks for hooks only once
        self.backbone.patch_embed.register_forward_hook(self._mask_patches)

    def _mask_patches(self, module: nn.Module, args: Any, output: Any) -> Any:
        """Put the mask token where ``_masks`` (B, N) is true; (patches (B, N, C), grid)."""
        if self._masks is None:
            return None
        patches, grid = output
        token = self.mask_token.to(patches.dtype)
        return torch.where(self._masks.unsqueeze(-1), token, patches), grid

    def tokens(self, views: Tensor, masks: Tensor | None = None) -> Tensor:
        """The student's class token and patches (B, 1 + N, C), behind masked ones if given."""
        self._masks = masks
        try:
            tokens: Tensor = self.backbone(views)[-1]
        finally:
            self._masks = None
        return tokens

    def student(self, views: Tensor, masks: Tensor | None = None) -> Any:
        """The student's logits of views (B, 3, H, W): class token (B, K), patches (B, N, K).

        Args:
            views (Tensor): The views.
            masks (Tensor, optional): Which patches it must not see, (B, N) bool. Defaults to
                None: it sees all.
        """
        tokens = self.tokens(views, masks)
        return self.head(tokens[:, 0]), self.head(tokens[:, 1:])

    @torch.no_grad()
    def teacher(self, views: Tensor) -> Any:
        """The teacher's logits: class token (B, K), patches (B, N, K); without gradient."""
        tokens = self.teacher_features(views)
        return self.teacher_head(tokens[:, 0]), self.teacher_head(tokens[:, 1:])

    @torch.no_grad()
    def teacher_features(self, views: Tensor) -> Tensor:
        """The teacher's class token and patches (B, 1 + N, C), without gradient."""
        tokens: Tensor = self.teacher_backbone(views)[-1]
        return tokens

    def _patch(self) -> list[int]:
        """Height and width of a patch in pixels."""
        sizes = zip(self.backbone.img_size, self.backbone.patch_resolution, strict=True)
        return [pixels // patches for pixels, patches in sizes]

    def patch_masks(self, masks: Tensor, size: Sequence[int]) -> Tensor:
        """The masks of pixels, by patch.

        Args:
            masks (Tensor): (B, H, W) bool, as from the data preprocessor.
            size (Sequence[int]): Height and width of the views, also resized ones.

        Returns:
            Tensor: (B, N) bool, row by row.
        """
        grid = [length // patch for length, patch in zip(size, self._patch(), strict=True)]
        return F.interpolate(masks[:, None].float(), size=grid).flatten(1) > 0

    def _check_masks(self, masks: Tensor, pixels: Tensor) -> None:
        """Refuse masks of other patches than the backbone's; looks at the first batch alone."""
        if self._masks_fit:
            return
        size = pixels.shape[1:]
        grid = [length // patch for length, patch in zip(size, self._patch(), strict=True)]
        again = F.interpolate(masks.float().view(-1, 1, *grid), size=size)
        if not torch.equal(again[:, 0] > 0, pixels):
            raise ValueError(
                f'the block masks do not fit the patches of {self._patch()} pixels: give '
                '`RandomBlockMask` the `patch_size` of the backbone'
            )
        self._masks_fit = True

    def loss(
        self,
        inputs: Sequence[Tensor],
        data_samples: Any = None,
        *,
        block_masks: Sequence[Tensor] | None = None,
    ) -> dict[str, Tensor]:
        """One step: move the teacher, compare class tokens and patches, move the centres.

        Args:
            inputs (Sequence[Tensor]): Views (B, 3, H, W), the global ones first.
            data_samples (Any): Not used. Defaults to None.
            block_masks (Sequence[Tensor]): Masks (B, H, W), bool, of the global views.

        Returns:
            dict[str, Tensor]: ``loss_cls`` and ``loss_patch``, weighted.
        """
        views = check_views(inputs)
        num_globals = count_globals(views)
        if block_masks is None or len(block_masks) != num_globals:
            raise ValueError(
                f'`block_masks` must hold a mask for each of the {num_globals} global views, but '
                f'got {None if block_masks is None else len(block_masks)}'
            )
        images = torch.cat(views[:num_globals])
        pixels = torch.cat(list(block_masks))
        masks = self.patch_masks(pixels, images.shape[2:])
        self._check_masks(masks, pixels)
        with torch.no_grad():
            seen = self._features_in_step(views[:num_globals])
            teacher, teacher_patches = self.teacher_head(seen[:, 0]), self.teacher_head(seen[:, 1:])
        tokens = self.tokens(images, masks)
        features = [tokens[:, 0]]
        if len(views) > num_globals:
            features += [
                self.tokens(torch.cat(group))[:, 0] for group in group_by_size(views[num_globals:])
            ]
        student = self.head(torch.cat(features))
        loss_cls = self.dino_loss(student.chunk(len(views)), teacher.chunk(num_globals))
        student_patches = self.head(tokens[:, 1:][masks])
        loss_patch = self.masked_losses(student_patches, teacher_patches[masks], masks).mean()
        self.dino_loss.update_center(teacher)
        self.patch_loss.update_center(teacher_patches)
        return {
            'loss_cls': self.cls_weight * loss_cls,
            'loss_patch': self.patch_weight * loss_patch,
        }

    def masked_losses(self, student: Tensor, teacher: Tensor, masks: Tensor) -> Tensor:
        """The mean loss of each view's masked patches, (B,) float32; 0 for a view without.

        Args:
            student (Tensor): The student's logits (M, K) of the masked patches.
            teacher (Tensor): The teacher's logits (M, K) of the same.
            masks (Tensor): (B, N) bool, M of them true.
        """
        each = self.patch_loss.cross_entropy(self.patch_loss.teacher_probs(teacher), student)
        weights = masks / masks.sum(1, keepdim=True).clamp(min=1)
        views = masks.nonzero()[:, 0]
        return each.new_zeros(len(masks)).index_add(0, views, each * weights[masks])
