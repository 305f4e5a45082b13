"""Background operations on whole batches, on the model's device."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from mmengine.logging import print_log
from mmengine.model import ImgDataPreprocessor
from torch import Tensor

from bgaug_mm.datasets.transforms.background_op import BackgroundOp
from bgaug_mm.registry import MODELS, TRANSFORMS

from .batch_background_op import BatchBackgroundOp
from .batch_source import Views

_PACKING = "pack the views with `dict(type='bgaug_mm.PackSaliencyInputs', with_mask=True)`"


@MODELS.register_module()
class BackgroundDataPreprocessor(ImgDataPreprocessor):
    """Put other backgrounds behind the foregrounds of a batch of views, and normalise.

    The batch version of BackgroundRemove and BackgroundSwap: the same config of the
    operation, the same results as theirs for the same draws (to one grey level), with
    these differences:

    * It comes behind all transforms of the pipeline, also the photometric ones, and
      without the sample's index.
    * DonorBackground and RecentBackground mean the same view of another image of the
      batch: the images are put into a random circle, each takes the background of the
      next one. A donor without a usable background leaves the view as it is, as a batch
      of one image does. (ContraCAM's background mix-up permutes the batch as well.)
    * FolderBackground takes its images from a bank that is decoded once.
    * It is drawn from torch's default generators, which SampleSeedHook starts anew in
      each iteration: on the CPU, hence alike on all devices, but for noise. Views that
      are not drawn cost nothing but their normalisation, and the host never waits for
      the device.

    For the algorithms of mmselfsup and mmpretrain, in the place of their
    SelfSupDataPreprocessor. Without an operation, and when not training, the images
    come out exactly as from those.

    Args:
        background_op (dict | BackgroundOp, optional): As in the pipeline, e.g.
            ``dict(type='bgaug_mm.BackgroundSwap')``. Defaults to None, no operation.
        views (str | Sequence[int]): Which views get it: ``'all'``, ``'first'`` (the
            query), ``'large'`` (the views of the largest size, in multi-crop the
            global ones) or indices. Defaults to 'all'.
        after_normalisation (bool): Composite the normalised foreground and background
            (as the released code of Whac-A-Mole's bg_aug does) instead of the pixels.
            The same up to rounding to grey levels. Defaults to False.
        append_masks (bool): When training, return the V masks behind the V images, each
            (B, 1, H, W) float32 in [0, 1], as they came. Defaults to False.
        bank_size (int): Most images of a FolderBackground to keep on the device, 0.3 MB
            each; at least 1. Defaults to 256 (our choice).
        mean (Sequence[float], optional): To subtract, in the order of the channels
            after conversion. Defaults to None, as ``std``: no normalisation.
        std (Sequence[float], optional): To divide by.
        bgr_to_rgb (bool): Reverse the channels. Defaults to False.
        rgb_to_bgr (bool): The same. Defaults to False.
        to_rgb (bool): The same, as mmpretrain spells it. Defaults to False.
        non_blocking (bool): Do not wait for the copy to the device. Defaults to False.

    Raises:
        ValueError: For arguments out of range, an operation (or a source in it) that has
            no batch version, inputs that are no views.
    """

    def __init__(
        self,
        *,
        background_op: Mapping[str, Any] | BackgroundOp | None = None,
        views: str | Sequence[int] = 'all',
        after_normalisation: bool = False,
        append_masks: bool = False,
        bank_size: int = 256,
        mean: Sequence[float] | None = None,
        std: Sequence[float] | None = None,
        bgr_to_rgb: bool = False,
        rgb_to_bgr: bool = False,
        to_rgb: bool = False,
        non_blocking: bool = False,
    ) -> None:
        super().__init__(
            mean=mean,
            std=std,
            bgr_to_rgb=bgr_to_rgb or to_rgb,
            rgb_to_bgr=rgb_to_bgr,
            non_blocking=non_blocking,
        )
        if isinstance(views, str):
            if views not in ('all', 'first', 'large'):
                raise ValueError(
                    f"`views` must be 'all', 'first', 'large' or indices, but got {views!r}"
                )
        elif not all(isinstance(index, int) and index >= 0 for index in views):
            raise ValueError(f'`views` must be indices from 0, but got {list(views)}')
        if bank_size < 1:
            raise ValueError(f'`bank_size` must be at least 1, but got {bank_size}')
        self.views = views
        self.after_normalisation = after_normalisation
        self.append_masks = append_masks
        self.background_op = None
        if background_op is not None:
            self.background_op = BatchBackgroundOp(_build(background_op), bank_size)
        self._told = False

    @torch.no_grad()
    def forward(self, data: Mapping[str, Any], training: bool = False) -> dict[str, Any]:
        """Preprocess a batch.

        Args:
            data (dict): ``inputs``: a list of V views, each (B, 4, H, W) uint8 with the
                mask as the last channel, or (B, 3, H, W) without; or one such tensor;
                instead of (B, …) also lists of B, as ``pseudo_collate`` makes them.
                ``data_samples`` (optional) is passed on.
            training (bool): Whether to apply the operation and append the masks.
                Defaults to False.

        Returns:
            dict: ``inputs``: the V views, (B, 3, H, W) float32, as a list (one tensor
            for one tensor), behind them the masks with ``append_masks``;
            ``data_samples``.

        Raises:
            ValueError: For inputs that are no views, for missing masks with
                ``append_masks``, for more indices in ``views`` than views.
        """
        if not isinstance(data, Mapping) or 'inputs' not in data:
            raise ValueError(
                '`BackgroundDataPreprocessor` needs a dict with `inputs`, but got '
                f'{sorted(data) if isinstance(data, Mapping) else type(data).__name__}'
            )
        data = self.cast_data(data)
        single, views = _as_views(data['inputs'])
        chosen = self._chosen(views) if training and self.background_op else []
        inputs = [self._preprocess(view, i in chosen) for i, view in enumerate(views)]
        if training and self.append_masks:
            if any(view.shape[1] != 4 for view in views):
                raise ValueError(
                    '`append_masks` needs the masks as the fourth channel of the views, but got '
                    f'views of shape {[tuple(view.shape) for view in views]}; {_PACKING}'
                )
            inputs += [view[:, 3:].float() / 255 for view in views]
            single = False
        return dict(inputs=inputs[0] if single else inputs, data_samples=data.get('data_samples'))

    def _chosen(self, views: list[Tensor]) -> Sequence[int]:
        """Indices of the views that get the operation."""
        if self.views == 'large':
            sizes = [view.shape[2] * view.shape[3] for view in views]
            return [i for i, size in enumerate(sizes) if size == max(sizes)]
        if isinstance(self.views, str):
            return range(len(views) if self.views == 'all' else 1)
        if max(self.views, default=0) >= len(views):
            raise ValueError(
                f'`views` must be indices of the {len(views)} views, but got {list(self.views)}'
            )
        return self.views

    def _preprocess(self, view: Tensor, change: bool) -> Tensor:
        """Normalise a view, (B, 3 or 4, H, W), with other backgrounds if it is to change."""
        images = view[:, :3].flip(1) if self._channel_conversion else view[:, :3]
        op = self.background_op if change else None
        if op is not None and view.shape[1] != 4:
            self._tell_once(f'`background_op` does nothing on views without masks; {_PACKING}')
            op = None
        drawn = op.draw(len(view)) if op is not None else None
        if op is None or drawn is None:
            return self._normalise(images)
        views = Views(images, view[:, 3:], reversed=self._channel_conversion)
        chosen, own, background, weights = op.render(drawn, views)
        if self.after_normalisation:
            changed = self._normalise(own).lerp_(self._normalise(background), weights)
            return self._normalise(images).index_copy_(0, chosen, changed)
        changed = own.float().lerp_(background, weights).round_().to(torch.uint8)
        return self._normalise(images.index_copy(0, chosen, changed))

    def _normalise(self, images: Tensor) -> Tensor:
        """Subtract and divide; float32."""
        if not self._enable_normalize:
            return images.float()
        # in one pass from integers to floats; equal to upstream's to the last bit
        return torch.sub(images, self.mean.float()).div_(self.std.float())

    def _tell_once(self, message: str) -> None:
        if not self._told:
            self._told = True
            print_log(message, logger='current', level=logging.WARNING)


def _build(op: Mapping[str, Any] | BackgroundOp) -> BackgroundOp:
    if not isinstance(op, BackgroundOp):
        # our scope: one inherited from another package's config would mislead mmengine
        op = TRANSFORMS.build({**op, '_scope_': 'bgaug_mm'})
    if not isinstance(op, BackgroundOp):
        raise ValueError(
            '`background_op` must be a BackgroundRemove or BackgroundSwap, but got '
            f'{type(op).__name__}'
        )
    return op


def _as_views(inputs: Any) -> tuple[bool, list[Tensor]]:
    """Whether there is a single tensor, and the views as (B, 3 or 4, H, W) tensors."""
    if isinstance(inputs, Tensor):
        single, views = True, [inputs]
    elif not isinstance(inputs, (list, tuple)) or not inputs:
        raise ValueError(f'`inputs` must be a tensor or a list of them, but got {inputs!r}')
    elif isinstance(inputs[0], Tensor) and inputs[0].dim() == 3:  # one view, not collated
        single, views = True, [_stack(inputs)]
    else:
        single = False
        views = [view if isinstance(view, Tensor) else _stack(view) for view in inputs]
    for view in views:
        if view.dim() != 4 or view.shape[1] not in (3, 4):
            raise ValueError(
                f'a view must be (B, 3 or 4, H, W), but got the shape {tuple(view.shape)}'
            )
        if view.shape[1] == 4 and view.dtype != torch.uint8:
            raise ValueError(f'a view with a mask must be uint8, but got {view.dtype}')
    return single, views


def _stack(images: Sequence[Tensor]) -> Tensor:
    shapes = sorted({tuple(image.shape) for image in images})
    if len(shapes) != 1:
        raise ValueError(f'the images of a view must have one shape, but got {shapes}')
    return torch.stack(list(images))
