"""Background-matched negatives: their pixels and their term of the loss."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from ..data_preprocessors.batch_functional import composite, foreground_share
from ..data_preprocessors.batch_infill import infill as take_out

#: The forms of a matched negative.
FORMS = ('fill_query_mask', 'paste_foreground')

#: Logit of a negative that is left out: its exponential is exactly 0 in every float type.
_LEFT_OUT = -1e9


def matched_negatives(
    images: Tensor,
    masks: Tensor,
    shift: int,
    *,
    form: str,
    limits: tuple[float, float],
    infill: str,
) -> tuple[Tensor, Tensor]:
    """Make each query a negative that has its background and another image's content.

    The other image r of query i is ``images[i - shift]`` (cyclic): the sampler shuffles,
    so neighbours in a batch are random pairs and nothing has to be drawn.

    Args:
        images (Tensor): Query views, (B, 3, H, W), float.
        masks (Tensor): Their soft masks, (B, 1, H, W) in [0, 1].
        shift (int): Distance of r in the batch, >= 1; from B on no negative is made.
        form (str): ``'fill_query_mask'``: ``m_q · r + (1 - m_q) · q``; ``'paste_foreground'``:
            ``m_r · r + (1 - m_r) · infilled(q)``.
        limits (tuple[float, float]): Least and largest foreground share of a query and, for
            ``'paste_foreground'``, of r.
        infill (str): How ``'paste_foreground'`` takes q's foreground out.

    Returns:
        tuple[Tensor, Tensor]: The images (B, 3, H, W) and whether each is a negative, (B,)
        bool. Where it is not, the image is a view as it came: finite, to be encoded for
        nothing.
    """
    others = images.roll(shift, 0)
    share = foreground_share(masks)
    usable = (share >= limits[0]) & (share <= limits[1]) & (shift < len(images))
    if form == 'fill_query_mask':
        made = composite(others, images, masks)
    else:
        background, infilled = take_out(images, masks, infill)
        made = composite(others, background, masks.roll(shift, 0))
        usable = usable & usable.roll(shift, 0) & infilled
    return torch.where(usable[:, None, None, None], made, images), usable


def matched_negatives_term(
    queries: Tensor,
    keys: Tensor,
    usable: Tensor,
    logits: Tensor,
    *,
    temperature: float,
    weight: float = 1.0,
) -> Tensor:
    """What K extra negatives per query add to InfoNCE.

    InfoNCE with them, ``-log(e^l0 / (Σ_j e^lj + w Σ_k e^(q·n_k/T)))``, is InfoNCE without
    them plus ``softplus(logsumexp_k(q·n_k/T) + log w - logsumexp_j(l_j))``, which is returned.

    Args:
        queries (Tensor): Normalised query features, (B, C).
        keys (Tensor): Normalised features of the negatives, (K, B, C).
        usable (Tensor): Which count, (K, B) bool; a query without any gets exactly 0, in
            value and in gradient.
        logits (Tensor): The logits without them, divided by their temperature; (B, N).
        temperature (float): T of the extra logits.
        weight (float): w > 0. Defaults to 1.

    Returns:
        Tensor: (B,).
    """
    extra = torch.einsum('bc,kbc->bk', queries, keys) / temperature
    extra = extra.masked_fill(~usable.T, _LEFT_OUT).logsumexp(1)
    gap = extra + math.log(weight) - logits.logsumexp(1)
    return torch.logaddexp(gap, torch.zeros_like(gap))  # softplus without torch's linear tail
