"""Read a sample's saliency mask."""

from __future__ import annotations

import logging
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform
from mmengine.logging import print_log

from bgaug_mm.registry import TRANSFORMS

from ..mask_store import BAD_MASK_ACTIONS, read_mask
from .functional import Array


@TRANSFORMS.register_module()
class LoadSaliencyMask(BaseTransform):
    """Read the saliency mask of an image, behind ``LoadImageFromFile``.

    The mask goes under ``gt_seg_map``, because mmcv's own Resize, RandomFlip, Pad and
    CenterCrop keep that key aligned with the image. A sample whose
    ``saliency_mask_path`` is None, and a missing or bad mask under
    ``'no_background_op'``, gets a mask that is 255 everywhere: the share limits of
    the background operations then leave the image as it is.

    A mask is bad when it cannot be decoded, has not 8 bits (or 1) a pixel, has
    several channels that differ, holds 0 and 1 instead of 0 to 255, or is not of the
    image's size.

    Required Keys:

    - saliency_mask_path
    - img

    Added Keys:

    - gt_seg_map

    Args:
        on_missing_mask (str, optional): When the file does not exist: ``'error'``,
            ``'no_background_op'`` (full mask, logged once a file) or ``'skip'`` (the
            dataset takes another sample). Defaults to None: what the results'
            ``on_missing_mask`` says (SaliencyMaskDataset writes it), else ``'error'``.
        on_bad_mask (str, optional): The same for a bad mask. Defaults to None.
        resize_to_image (bool): Resize a mask of another size to the image's
            (bilinear) instead of calling it bad. Defaults to False.

    Raises:
        ValueError: Under ``'error'``, naming the mask file and the image.
    """

    def __init__(
        self,
        *,
        on_missing_mask: str | None = None,
        on_bad_mask: str | None = None,
        resize_to_image: bool = False,
    ) -> None:
        for name, value in (('on_missing_mask', on_missing_mask), ('on_bad_mask', on_bad_mask)):
            if value is not None and value not in BAD_MASK_ACTIONS:
                raise ValueError(
                    f'`{name}` must be None or one of {BAD_MASK_ACTIONS}, but got {value!r}'
                )
        self.on_missing_mask = on_missing_mask
        self.on_bad_mask = on_bad_mask
        self.resize_to_image = resize_to_image
        self._logged: set[str] = set()

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Add ``gt_seg_map``, (H, W) uint8; None when the sample is to be skipped."""
        if 'saliency_mask_path' not in results:
            raise ValueError(
                '`LoadSaliencyMask` needs the key `saliency_mask_path`: wrap the dataset in '
                "dict(type='bgaug_mm.SaliencyMaskDataset', dataset=...)"
            )
        height, width = results['img'].shape[:2]
        path = results['saliency_mask_path']
        mask = None
        if path is not None:
            option = 'on_bad_mask'
            try:
                mask = self._read(path, height, width)
            except FileNotFoundError:
                option, problem = 'on_missing_mask', 'it does not exist'
            except (ValueError, OSError) as error:
                problem = str(error)
            if mask is None:
                action = getattr(self, option) or results.get(option, 'error')
                text = (
                    f"saliency mask '{path}' of image '{results.get('img_path')}' cannot be used: "
                    f'{problem}'
                )
                if action == 'error':
                    raise ValueError(f"{text}. See `{option}` ('no_background_op' or 'skip')")
                if path not in self._logged:
                    self._logged.add(path)
                    print_log(f'{text} -> {action}', logger='current', level=logging.WARNING)
                if action == 'skip':
                    return None
        if mask is None:
            mask = np.full((height, width), 255, np.uint8)
        results['gt_seg_map'] = mask
        return results

    def _read(self, path: str, height: int, width: int) -> Array:
        mask = read_mask(path)
        if mask.shape == (height, width):
            return mask
        if not self.resize_to_image:
            raise ValueError(
                f'it is {mask.shape[1]}x{mask.shape[0]} but the image {width}x{height} (width x '
                'height): a mask of another image, or made at another size (see `resize_to_image`)'
            )
        return cv2.resize(mask, (width, height), interpolation=cv2.INTER_LINEAR)

    def __repr__(self) -> str:
        return (
            f'{type(self).__name__}(on_missing_mask={self.on_missing_mask!r}, '
            f'on_bad_mask={self.on_bad_mask!r}, resize_to_image={self.resize_to_image})'
        )
