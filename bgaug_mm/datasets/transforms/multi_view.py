"""Several views of an image, each with its mask."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from mmcv.transforms import BaseTransform, Compose

from bgaug_mm.registry import TRANSFORMS

Transform = dict[str, Any] | Callable[[dict[str, Any]], Any]


def _share(value: Any) -> Any:
    """The same data in containers of its own; arrays as read-only views."""
    if isinstance(value, np.ndarray):
        view = value.view()
        view.flags.writeable = False
        return view
    if type(value) is list:
        return [_share(item) for item in value]
    if type(value) is dict:
        return {key: _share(item) for key, item in value.items()}
    return value


def _own(value: Any) -> Any:
    """A view's output, with memory of its own (what is read-only is the input's)."""
    if isinstance(value, np.ndarray) and not value.flags.writeable:
        return value.copy()
    return value


@TRANSFORMS.register_module()
class MultiView(BaseTransform):
    """Apply view pipelines to one image; collect the image, its mask and more.

    Upstream's transform of this name (mmselfsup, mmpretrain) with two differences:
    it collects ``collect`` instead of ``img`` alone, so a view keeps its mask; and it
    does not deep-copy the image for every view. A view pipeline sees the arrays
    read-only; a transform that writes in place is named in the error, and
    ``copy_arrays=True`` serves it.

    Required Keys:

    - img

    Modified Keys:

    - img
    - gt_seg_map (optional)

    Added Keys:

    - crop_bbox (optional)
    - flip (optional)
    - background_op (optional)
    - background_params (optional)
    - block_mask (optional)

    Every key of ``collect`` that a view has becomes a list with one item a view (None
    for a view without it). All other keys of the results stay as they were.

    Args:
        transforms (list[list[dict | callable]]): One pipeline for each entry of
            ``num_views``.
        num_views (int | list[int]): Views made by each pipeline; an int stands for
            one pipeline.
        collect (Sequence[str]): Keys to collect from the views. Defaults to
            ('img', 'gt_seg_map', 'crop_bbox', 'flip', 'background_op',
            'background_params', 'block_mask').
        copy_arrays (bool): Give each view deep copies instead. Defaults to False.

    Raises:
        ValueError: For pipelines that do not fit ``num_views``, for a transform that
            writes into its input, for a view without ``img``.
    """

    def __init__(
        self,
        transforms: Sequence[Sequence[Transform]],
        num_views: int | Sequence[int],
        *,
        collect: Sequence[str] = (
            'img',
            'gt_seg_map',
            'crop_bbox',
            'flip',
            'background_op',
            'background_params',
            'block_mask',
        ),
        copy_arrays: bool = False,
    ) -> None:
        counts = [num_views] if isinstance(num_views, int) else list(num_views)
        if not counts or len(counts) != len(transforms) or min(counts) < 1:
            raise ValueError(
                '`num_views` must hold a positive number for each pipeline in `transforms`, but '
                f'got {num_views} for {len(transforms)} pipelines'
            )
        if isinstance(collect, str) or 'img' not in collect:
            raise ValueError(f"`collect` must be keys, 'img' among them, but got {collect!r}")
        self.num_views = counts
        self.collect = tuple(collect)
        self.copy_arrays = copy_arrays
        self.pipelines = [Compose(pipeline) for pipeline in transforms]
        self.transforms = [
            pipeline
            for pipeline, count in zip(self.pipelines, counts, strict=True)
            for _ in range(count)
        ]

    def transform(self, results: dict[str, Any]) -> dict[str, Any] | None:
        """Make all views; None when a view pipeline returns None."""
        outputs = []
        for index, pipeline in enumerate(self.transforms):
            view = copy.deepcopy(results) if self.copy_arrays else _share(results)
            output = self._run(view, pipeline, index)
            if output is None:
                return None
            outputs.append(output)
        for key in self.collect:
            if any(key in output for output in outputs):
                results[key] = [_own(output.get(key)) for output in outputs]
        return results

    def _run(self, view: dict[str, Any], pipeline: Compose, index: int) -> dict[str, Any] | None:
        for transform in pipeline.transforms:
            try:
                view = transform(view)
            except (ValueError, cv2.error) as error:
                # numpy: "… is read-only"; OpenCV: "… marked as readonly"
                if 'read-only' in str(error) or 'readonly' in str(error):
                    raise ValueError(
                        f'`{type(transform).__name__}` in view {index} writes into its input, '
                        'which the views share: set `copy_arrays=True` in `MultiView`'
                    ) from error
                raise
            if view is None:
                return None
        if 'img' not in view:
            raise ValueError(f'view {index} has no `img` left, only {sorted(view)}')
        return view

    def __repr__(self) -> str:
        views = ''.join(
            f'\nPipeline {i + 1} with {count} views:\n{pipeline}'
            for i, (pipeline, count) in enumerate(zip(self.pipelines, self.num_views, strict=True))
        )
        return f'{type(self).__name__}(collect={self.collect}{views})'
