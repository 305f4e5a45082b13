"""Change the mask before it cuts the foreground out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np

from .functional import Array, foreground_box


@dataclass(frozen=True, kw_only=True)
class MaskEdit:
    """Box or threshold, then dilation, then blur, of the mask a foreground is cut by.

    The mask under ``gt_seg_map`` and the limits of the foreground share do not
    notice. Pixels are those of what the operation gets: of the view, or of the whole
    image where it stands before the crop.

    Args:
        threshold (int, optional): Make the mask hard: 255 where it is at least this, 1
            to 255. Defaults to None, the soft mask.
        dilate (int): Widen the mask by so many pixels, in a square of side
            ``2·dilate + 1``. Masks that are too large do less harm than masks
            that are too small. Defaults to 0.
        blur (float): Standard deviation of a Gaussian blur, in pixels. Defaults to 0.0.
        blur_prob (float): Probability of the blur, in [0, 1]. Defaults to 1.0.
        as_box (bool): Take the bounding box of what is at least 64 (see
            :func:`~.functional.foreground_box`) instead of the mask. Not together with
            ``threshold``. Defaults to False.

    Raises:
        ValueError: For options out of range.

    DiLo's released example (Zhao et al., AAAI 2021) blurs the mask "(5)" with a
    probability of 0.5: ``dict(blur=5.0, blur_prob=0.5)``, where taking 5 for the
    standard deviation is our choice.
    """

    threshold: int | None = None
    dilate: int = 0
    blur: float = 0.0
    blur_prob: float = 1.0
    as_box: bool = False

    def __post_init__(self) -> None:
        if self.threshold is not None and not 1 <= self.threshold <= 255:
            raise ValueError(
                f'`mask_edit.threshold` must be None or in [1, 255], but got {self.threshold}'
            )
        if self.as_box and self.threshold is not None:
            raise ValueError('give `mask_edit.as_box` or `mask_edit.threshold`, not both')
        if not isinstance(self.dilate, int) or self.dilate < 0:
            raise ValueError(
                f'`mask_edit.dilate` must be an integer from 0, but got {self.dilate!r}'
            )
        if self.blur < 0:
            raise ValueError(f'`mask_edit.blur` must be at least 0, but got {self.blur}')
        if not 0 <= self.blur_prob <= 1:
            raise ValueError(f'`mask_edit.blur_prob` must be in [0, 1], but got {self.blur_prob}')

    @classmethod
    def of(cls, edit: Mapping[str, Any] | MaskEdit | None) -> MaskEdit:
        """From a config; None is the edit that changes nothing."""
        if isinstance(edit, MaskEdit):
            return edit
        options = dict(edit or {})
        unknown = sorted(set(options) - set(cls.__dataclass_fields__))
        if unknown:
            raise ValueError(
                f'`mask_edit` takes {", ".join(cls.__dataclass_fields__)}, but got {unknown}'
            )
        return cls(**options)

    def draw(self) -> bool:
        """Whether the mask is blurred this time (``np.random``)."""
        return self.blur > 0 and bool(np.random.rand() < self.blur_prob)

    def apply(self, mask: Array, blurred: bool) -> Array:
        """The edited mask.

        Args:
            mask (ndarray): (H, W) uint8, in C order.
            blurred (bool): What :meth:`draw` gave.

        Returns:
            ndarray: (H, W) uint8; ``mask`` itself when there is nothing to change.
            All zero when nothing reaches ``threshold`` (or 64, for a box).
        """
        if self.as_box:
            box = foreground_box(mask)
            mask = np.zeros_like(mask)
            if box is not None:
                mask[box[1] : box[3], box[0] : box[2]] = 255
        elif self.threshold is not None:
            mask = cv2.threshold(mask, self.threshold - 1, 255, cv2.THRESH_BINARY)[1]
        if self.dilate:
            side = 2 * self.dilate + 1
            mask = cv2.dilate(mask, np.ones((side, side), np.uint8))
        if blurred:
            mask = cv2.GaussianBlur(mask, (0, 0), self.blur)
        return mask
