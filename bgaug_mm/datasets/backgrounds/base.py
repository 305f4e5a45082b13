"""The interface of a source of backgrounds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import cv2
import numpy as np

from bgaug_mm.registry import BACKGROUNDS

if TYPE_CHECKING:  # at run time the transforms import this module
    from ..transforms.functional import Array


class Window(NamedTuple):
    """Where a background is cut from its image, independent of the image's size."""

    side: float  #: share of the largest fitting window's side, in (0, 1]
    x: float  #: position between the left (0) and right (1) end of the free room
    y: float  #: the same from top to bottom
    flip: bool  #: mirrored left to right

    def describe(self) -> str:
        """In words."""
        flipped = ', flipped' if self.flip else ''
        return f'crop {self.side:.2f} at ({self.x:.2f}, {self.y:.2f}){flipped}'


def check_window(scale: tuple[float, float], flip_prob: float) -> None:
    """Raise ValueError for options of :func:`draw_window` that are out of range."""
    if not 0 < scale[0] <= scale[1] <= 1:
        raise ValueError(f'`scale` must be (min, max) with 0 < min <= max <= 1, but got {scale}')
    if not 0 <= flip_prob <= 1:
        raise ValueError(f'`flip_prob` must be in [0, 1], but got {flip_prob}')


def draw_window(scale: tuple[float, float], flip_prob: float) -> Window:
    """Draw a background's own crop and flip.

    Args:
        scale (tuple[float, float]): Range of the window's area, as a share of the
            largest window of the view's proportions, in (0, 1].
        flip_prob (float): Probability of mirroring, in [0, 1].
    """
    area, x, y, flip = np.random.uniform(size=4)
    side = (scale[0] + (scale[1] - scale[0]) * area) ** 0.5
    return Window(side, x, y, bool(flip < flip_prob))


def cut_window(image: Array, window: Window, height: int, width: int) -> Array:
    """Cut a window out of an image and resize it.

    Args:
        image (ndarray): (H, W, 3) uint8.
        window (Window): What to cut; it keeps the proportions height : width.
        height (int): Of the result, in pixels.
        width (int): Of the result, in pixels.

    Returns:
        ndarray: (height, width, 3) uint8, a new array.
    """
    image_h, image_w = image.shape[:2]
    fit = min(image_h / height, image_w / width) * window.side
    cut_h = min(max(round(height * fit), 1), image_h)
    cut_w = min(max(round(width * fit), 1), image_w)
    top = round(window.y * (image_h - cut_h))
    left = round(window.x * (image_w - cut_w))
    cut = image[top : top + cut_h, left : left + cut_w]
    cut = cv2.resize(cut, (width, height), interpolation=cv2.INTER_LINEAR)
    return cv2.flip(cut, 1) if window.flip else cut


class Background(ABC):
    """A source of backgrounds, registered in ``bgaug_mm.registry.BACKGROUNDS``.

    Everything random happens in :meth:`draw`, from ``np.random``'s global generator;
    :meth:`render` gives the same picture for the same parameters.
    """

    @abstractmethod
    def draw(self, image: Array, mask: Array, sample_idx: int | None) -> Any:
        """Draw a background for a view.

        Args:
            image (ndarray): The view, (H, W, 3) uint8.
            mask (ndarray): Its mask, (H, W) uint8.
            sample_idx (int, optional): Index of the view's image in the dataset.

        Returns:
            Any: Parameters for :meth:`render`, None when there is no background now:
            the view then stays as it is.
        """

    @abstractmethod
    def render(self, params: Any, height: int, width: int) -> Array | None:
        """The background of drawn parameters, (height, width, 3) uint8.

        None when it turns out only now that there is none: the view then stays as it is.
        """

    def describe(self, params: Any) -> str:
        """What was drawn, in a few words for people; after :meth:`render`."""
        return type(self).__name__

    def bind(self, dataset: Any) -> None:  # noqa: B027  (most sources need none)
        """Take the dataset whose pipeline the source is in. Nothing by default."""

    def observe(  # noqa: B027  (a source need not look)
        self, image: Array, mask: Array, sample_idx: int | None
    ) -> None:
        """See a view that passes, after :meth:`draw`. Nothing by default.

        The arrays are not to be kept or written into: take copies.
        """


def build_background(source: Mapping[str, Any] | Background) -> Background:
    """A source from its config; a source stays the same object."""
    if isinstance(source, Background):
        return source
    # our scope: the registry has no children, and a default scope or an inherited
    # `_scope_` of another package would make mmengine look for one
    return BACKGROUNDS.build({**source, '_scope_': 'bgaug_mm'})
