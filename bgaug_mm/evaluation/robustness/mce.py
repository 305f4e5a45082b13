"""Corruption errors on ImageNet-C, relative to AlexNet's."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

#: AlexNet's error on each corruption, mean over the 5 severities, in percent. Published by
#: Hendrycks with ImageNet-C (the sheet linked as "Calculating the mCE" in
#: https://github.com/hendrycks/robustness; rounded in appendix C of the paper).
ALEXNET_ERRORS = {
    'gaussian_noise': 88.6428,
    'shot_noise': 89.4468,
    'impulse_noise': 92.2640,
    'defocus_blur': 81.9880,
    'glass_blur': 82.6268,
    'motion_blur': 78.5948,
    'zoom_blur': 79.8360,
    'snow': 86.6816,
    'frost': 82.6572,
    'fog': 81.9324,
    'brightness': 56.4592,
    'contrast': 85.3204,
    'elastic_transform': 64.6056,
    'pixelate': 71.7840,
    'jpeg_compression': 60.6500,
}
#: AlexNet's error on ImageNet's validation set, in percent (43.5 in the paper's table 1).
ALEXNET_CLEAN_ERROR = 43.48

_SEVERITIES = 5


def corruption_error(corruption: str, errors: ArrayLike) -> NDArray[np.float64]:
    """CE: the error relative to AlexNet's, in percent.

    Hendrycks and Dietterich (ICLR 2019, section 4.2): the sum over the severities of the
    errors, divided by the sum of AlexNet's.

    Args:
        corruption: One of ``ALEXNET_ERRORS``.
        errors: (5, …) in percent, by severity. Behind the severities there may be images
            (0 or 100 each): all of this is linear, so that the mean over the images of the
            result is the result of the means.

    Returns:
        (…) float64.

    Raises:
        ValueError: For an unknown corruption, or not 5 severities.
    """
    return 100 * _mean_error(corruption, errors) / ALEXNET_ERRORS[corruption]


def relative_corruption_error(
    corruption: str, errors: ArrayLike, clean_error: ArrayLike
) -> NDArray[np.float64]:
    """Relative CE: by how much the error rises, relative to AlexNet's rise, in percent.

    Args:
        corruption: See :func:`corruption_error`.
        errors: The same.
        clean_error: (…) on ImageNet's validation set, in percent.

    Returns:
        (…) float64.

    Raises:
        ValueError: As :func:`corruption_error`.
    """
    rise = _mean_error(corruption, errors) - np.asarray(clean_error, np.float64)
    return 100 * rise / (ALEXNET_ERRORS[corruption] - ALEXNET_CLEAN_ERROR)


def mean_corruption_error(
    errors: Mapping[str, ArrayLike], clean_error: ArrayLike | None = None
) -> NDArray[np.float64]:
    """MCE: the mean of CE over all 15 corruptions; with `clean_error` the relative mCE.

    Args:
        errors: Corruption → see :func:`corruption_error`.
        clean_error: See :func:`relative_corruption_error`. Defaults to None.

    Returns:
        (…) float64, in percent.

    Raises:
        ValueError: If one of the 15 is missing, or as :func:`corruption_error`.
    """
    missing = [name for name in ALEXNET_ERRORS if name not in errors]
    if missing:
        raise ValueError(f'mCE needs all 15 corruptions; there is no {", ".join(missing)}')
    return np.mean(
        [
            corruption_error(name, errors[name])
            if clean_error is None
            else relative_corruption_error(name, errors[name], clean_error)
            for name in ALEXNET_ERRORS
        ],
        axis=0,
    )


def _mean_error(corruption: str, errors: ArrayLike) -> NDArray[np.float64]:
    if corruption not in ALEXNET_ERRORS:
        raise ValueError(
            f'`corruption` must be one of {tuple(ALEXNET_ERRORS)}, but got {corruption!r}'
        )
    array = np.asarray(errors, np.float64)
    if not array.ndim or len(array) != _SEVERITIES:
        raise ValueError(
            f'{corruption} needs the errors of {_SEVERITIES} severities, but got {array.shape}'
        )
    mean: NDArray[np.float64] = array.mean(0)
    return mean
