"""Read an image as training sees it."""

from __future__ import annotations

from io import BytesIO

import cv2
import mmcv
import numpy as np
from mmengine import fileio
from PIL import Image as PillowImage
from PIL import UnidentifiedImageError

from .base import Image


class ImageError(ValueError):
    """An image file that cannot be used.

    Args:
        path (str): The file.
        reason (str): Why, the same text whenever the same file is read.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"image '{path}' cannot be used: {reason}")
        self.path = path
        self.reason = reason


def read_image(path: str) -> Image:
    """Decode an image file exactly as mmcv's ``LoadImageFromFile`` does.

    A mask must fit the pixels that training crops, so the decoder is that of
    training, ``mmcv.imfrombytes`` with its default backend, OpenCV: turned as EXIF says,
    grey and palette images as three channels, CMYK converted, 16 bits reduced to the upper 8, and
    alpha dropped: the colours below it are what training sees, too (our choice; nothing
    is composited). A JPEG without its end is refused, also by an OpenCV (4.8) that would fill
    the rest with grey; one with flipped bits that still decodes is not noticed.

    Args:
        path (str): The file, or a URL that mmengine's fileio reads.

    Returns:
        ndarray: (H, W, 3) uint8, RGB.

    Raises:
        ImageError: If the file is missing, unreadable, empty, cut off or no image.
    """
    try:
        if '://' in path:
            data = fileio.get(path)
        else:
            with open(path, 'rb') as file:
                data = file.read()
    except FileNotFoundError:
        raise ImageError(path, 'it does not exist') from None
    except OSError as error:
        raise ImageError(path, f'it cannot be read ({error.strerror or error})') from error
    if not data:
        raise ImageError(path, 'the file is empty')
    if _is_cut_jpeg(data):
        raise ImageError(path, 'the JPEG is truncated, its end marker is missing')
    try:
        image = mmcv.imfrombytes(data, flag='color', channel_order='rgb', backend='cv2')
    except cv2.error:  # mmcv converts the channels of what was not decoded
        image = None
    if image is None:
        raise ImageError(path, _why(data))
    return np.ascontiguousarray(image)


def _is_cut_jpeg(data: bytes) -> bool:
    """Whether the first scan of a JPEG begins, but nothing behind it says that it ends."""
    if data[:2] != b'\xff\xd8':
        return False
    at = 2
    while data[at : at + 1] == b'\xff':
        marker = data[at + 1 : at + 2]
        if marker == b'\xda':
            return data.find(b'\xff\xd9', at) < 0
        # from segment to segment: a preview among them has an end of its own
        at += 1 if marker == b'\xff' else 2 + int.from_bytes(data[at + 2 : at + 4], 'big')
    return False  # cut before, or no JPEG: decoding tells


def _why(data: bytes) -> str:
    """What Pillow says about a file that OpenCV does not decode."""
    try:
        with PillowImage.open(BytesIO(data)) as image:
            kind = image.format
            image.load()
    except UnidentifiedImageError:  # its text holds an address in memory
        return 'it is no image, or the beginning of one'
    except Exception as error:  # Pillow's decoders raise all sorts
        return str(error)
    return f'OpenCV cannot decode this {kind} file, so training could not either: convert it'
