"""MoCo with background-matched negatives, over mmselfsup's or mmpretrain's class."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from bgaug_mm.registry import MODELS

from ..data_preprocessors.batch_infill import INFILLS
from .matched_negatives import FORMS, matched_negatives, matched_negatives_term
from .upstream import combine, criterion, lazy_class, recorded, upstream_module


class MatchedNegatives(nn.Module):
    """Goes before upstream's MoCo; see :func:`MatchedNegativesMoCo`.

    Upstream's ``loss`` runs untouched. Hooks take from it the query features and the logits,
    and from these the term of the extra logits follows (:func:`matched_negatives_term`).
    """

    # upstream's, untyped
    neck: nn.Module
    head: Any
    encoder_k: Any

    def __init__(
        self,
        *,
        num_matched: int = 1,
        matched_form: str = 'fill_query_mask',
        matched_temperature: float | None = None,
        matched_weight: float = 1.0,
        min_foreground: float = 0.05,
        max_foreground: float = 0.95,
        infill: str = 'tile_strip',
        **moco: Any,
    ) -> None:
        if num_matched < 0:
            raise ValueError(f'`num_matched` must be >= 0, but got {num_matched}')
        if matched_form not in FORMS:
            raise ValueError(f'`matched_form` must be one of {FORMS}, but got {matched_form!r}')
        if matched_temperature is not None and matched_temperature <= 0:
            raise ValueError(
                f'`matched_temperature` must be above 0 or None, but got {matched_temperature}'
            )
        if matched_weight <= 0:
            raise ValueError(f'`matched_weight` must be above 0, but got {matched_weight}')
        if not 0 <= min_foreground < max_foreground <= 1:
            raise ValueError(
                f'`min_foreground` and `max_foreground` must be rising and in [0, 1], but got '
                f'{min_foreground} and {max_foreground}'
            )
        if infill not in INFILLS:
            raise ValueError(f'`infill` must be one of {INFILLS}, but got {infill!r}')
        super().__init__(**moco)
        self.num_matched = num_matched
        self.matched_form = matched_form
        self.matched_temperature = matched_temperature
        self.matched_weight = matched_weight
        self.foreground_limits = (min_foreground, max_foreground)
        self.infill = infill

    def loss(
        self, inputs: list[Tensor], data_samples: list[Any], **kwargs: Any
    ) -> dict[str, Tensor]:
        """Upstream's loss, and what the background-matched negatives add to it.

        Args:
            inputs (list[Tensor]): Query views and key views, (B, 3, H, W), then the masks of
                both, (B, 1, H, W) in [0, 1].
            data_samples (list): Handed to upstream.
            **kwargs: Handed to upstream.

        Returns:
            dict[str, Tensor]: ``loss_moco`` (upstream's value) and ``loss_matched_negatives``;
            with ``num_matched=0`` what upstream returns.

        Raises:
            ValueError: If the masks are missing.
        """
        upstream = super().loss  # type: ignore[misc]
        if self.num_matched == 0:
            return upstream(inputs[:2], data_samples, **kwargs)
        if len(inputs) != 4 or inputs[2].shape[1] != 1:
            shapes = [tuple(view.shape) for view in inputs]
            raise ValueError(
                'background-matched negatives need `inputs` of two views and their masks, '
                f'[(B,3,H,W), (B,3,H,W), (B,1,H,W), (B,1,H,W)], but got {shapes}; pack with '
                '`bgaug_mm.PackSaliencyInputs(with_mask=True)` and set `data_preprocessor='
                "dict(type='bgaug_mm.BackgroundDataPreprocessor', append_masks=True)`"
            )
        head_loss = criterion(self.head)
        with (
            recorded(self.neck, lambda args, output: output[0]) as features,
            recorded(head_loss, lambda args, output: args[0]) as logits,
        ):
            losses = upstream(inputs[:2], data_samples, **kwargs)
        keys, usable = self._encode_negatives(inputs[0], inputs[2])
        with torch.autocast(inputs[0].device.type, enabled=False):
            term = matched_negatives_term(
                F.normalize(_at_least_float32(features[0]), dim=1),
                _at_least_float32(keys),
                usable,
                _at_least_float32(logits[0]),
                temperature=self.matched_temperature or self.head.temperature,
                weight=self.matched_weight,
            ).mean()
        # not as `loss`: mmengine would log upstream's part under the name of the sum
        return {
            'loss_moco': losses['loss'],
            'loss_matched_negatives': term * getattr(head_loss, 'loss_weight', 1.0),
        }

    @torch.no_grad()
    def _encode_negatives(self, images: Tensor, masks: Tensor) -> tuple[Tensor, Tensor]:
        """Features (K, B, C) of the negatives from the key encoder, and which count, (K, B).

        The encoder is the one that upstream has just moved. One pass a negative, of the
        batch's size and through upstream's shuffling, so that its batch statistics are of
        the kind the keys saw; the running statistics that it leaves are put back.
        """
        module = upstream_module(self)
        buffers = [(buffer, buffer.clone()) for buffer in self.encoder_k.buffers()]
        keys, usable = [], []
        for shift in range(1, self.num_matched + 1):
            negatives, ok = matched_negatives(
                images,
                masks,
                shift,
                form=self.matched_form,
                limits=self.foreground_limits,
                infill=self.infill,
            )
            shuffled, unshuffle = module.batch_shuffle_ddp(negatives)
            features = F.normalize(self.encoder_k(shuffled)[0], dim=1)
            keys.append(module.batch_unshuffle_ddp(features, unshuffle))
            usable.append(ok)
        for buffer, before in buffers:
            buffer.copy_(before)
        return torch.stack(keys), torch.stack(usable)


def _at_least_float32(tensor: Tensor) -> Tensor:
    return tensor.to(torch.promote_types(tensor.dtype, torch.float32))


@MODELS.register_module()
def MatchedNegativesMoCo(*, backend: str = 'mmselfsup', **options: Any) -> nn.Module:  # noqa: N802
    """MoCo v1 / v2 with background-matched negatives (BG_Swaps), over upstream's own MoCo.

    A query and its positive share the foreground over different backgrounds (that is
    :class:`~bgaug_mm.datasets.transforms.BackgroundSwap`'s part); a matched negative shares
    the query's background and shows another image's content, so that a background can no
    longer tell positives from negatives. Ryali, Schwab, Morcos, "Characterizing and
    Improving the Robustness of Self-Supervised Learning through Background Augmentations",
    arXiv 2103.12719, BG_Swaps: ``m_q · r + (1 - m_q) · q``, q a query view, m_q its mask, r
    another image. Our choices: how many negatives (one), that they are encoded by the key
    encoder after its update and not enqueued, that r is the neighbour in the batch, the
    foreground limits, and the second form.

    The extra logits belong to their query alone. Logged are ``loss_moco`` (upstream's value),
    ``loss_matched_negatives`` (what the extra logits cost) and ``loss``, their sum: exactly
    InfoNCE with the extra logits. The cost is exactly 0, with no gradient, for a query that
    has no usable negative: one without a mask ("255 everywhere") or with a share outside the
    limits. The guard is needed: with an empty mask the query would be its own negative.

    Every matched negative is a composite, and with ``'paste_foreground'`` it lies on a tiled
    plate: a possible shortcut. Give the positives the same treatment by
    ``bgaug_mm.BackgroundSwap`` on the views.

    Use it over an inherited config of upstream; the model's inner types stay upstream's::

        model = dict(
            type='bgaug_mm.MatchedNegativesMoCo', backend='mmselfsup',
            data_preprocessor=dict(
                type='bgaug_mm.BackgroundDataPreprocessor', append_masks=True))

    with ``bgaug_mm.PackSaliencyInputs(with_mask=True)`` at the end of the pipeline.

    Args:
        backend (str): Whose MoCo: ``'mmselfsup'`` or ``'mmpretrain'``. Note that the two name
            ``momentum`` the other way round. Defaults to ``'mmselfsup'``.
        num_matched (int): Negatives a query (k); the k-th takes the k-th neighbour in the
            batch, those from the batch size on are left out. 0 is upstream's MoCo, bit for
            bit. Defaults to 1.
        matched_form (str): ``'fill_query_mask'`` (the paper's; soft) or
            ``'paste_foreground'``: r's own foreground on q's infilled background. Defaults
            to ``'fill_query_mask'``.
        matched_temperature (float, optional): Temperature of the extra logits. Defaults to
            None, the head's.
        matched_weight (float): Factor of their exponentials in InfoNCE, as if each were
            there that many times. Defaults to 1.
        min_foreground (float): Least foreground share of a query's mask; with
            ``'paste_foreground'`` also of r's. Defaults to 0.05.
        max_foreground (float): Largest one. Defaults to 0.95.
        infill (str): How ``'paste_foreground'`` takes q's foreground out: ``'tile_strip'``,
            ``'tile_rectangle'`` or ``'mean'``. Defaults to ``'tile_strip'``.
        **options: Arguments of upstream's MoCo.

    Returns:
        nn.Module: The model.

    Raises:
        ValueError: If an option is out of range, or in training if the masks are missing.
        ImportError: If the backend is not installed.
    """
    return combine(MatchedNegatives, f'{backend}.MoCo')(**options)


def __getattr__(name: str) -> type:
    return lazy_class(MatchedNegatives, name)
