"""Which samples are used, with or without their mask: decided before training."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from mmengine.logging import print_log
from numpy.typing import NDArray

from .foreground_share import foreground_shares
from .mask_checks import first_names, header_problem, run_threaded
from .mask_store import MaskFolder, read_mask


class Located(NamedTuple):
    """An image and where its mask is or should be."""

    inner: int  #: index in the wrapped dataset
    image: str
    mask: str | None  #: None when a list file does not name the image
    store: MaskFolder


class MaskSelection:
    """Sorts samples into used, used without a mask, and left out.

    Args:
        samples (Sequence[Located]): All samples of the wrapped dataset.
        on_missing_mask (str): ``'error'``, ``'no_background_op'`` or ``'skip'``.
        on_bad_mask (str): The same.
    """

    def __init__(
        self, samples: Sequence[Located], *, on_missing_mask: str, on_bad_mask: str
    ) -> None:
        self.samples = samples
        self.actions = {'on_missing_mask': on_missing_mask, 'on_bad_mask': on_bad_mask}
        self._left_out: set[int] = set()
        self._without: set[int] = set()

    def decide(self, check: str) -> None:
        """Look for the masks, and at what ``check`` says.

        Raises:
            ValueError: If all masks are missing, or under ``'error'``.
        """
        missing = {
            sample.inner: 'it does not exist' if sample.mask else 'the list file does not name it'
            for sample in self.samples
            if sample.mask is None or (check != 'none' and not sample.store.exists(sample.mask))
        }
        if len(missing) == len(self.samples):
            raise ValueError(_no_masks(self.samples[0]))
        self._apply('on_missing_mask', missing)
        bad = self._shared()
        if check == 'header':
            pairs = {(s.image, s.mask or ''): None for s in self._with_mask()}
            problems = dict(zip(pairs, run_threaded(header_problem, list(pairs)), strict=True))
            for sample in self._with_mask():
                problem = problems[sample.image, sample.mask or '']
                if problem:
                    bad.setdefault(sample.inner, problem)
        self._apply('on_bad_mask', bad)

    def limit_share(
        self, minimum: float | None, maximum: float | None, *, share_file: str | None
    ) -> None:
        """Leave out samples whose share of foreground is outside of the limits."""
        samples = self._with_mask()
        shares = _shares(samples, share_file)
        low, high = minimum or 0.0, 1.0 if maximum is None else maximum
        out = [s for s, share in zip(samples, shares, strict=True) if share < low or share > high]
        self._left_out.update(sample.inner for sample in out)
        if out:
            print_log(
                f'{len(out)} of {len(self.samples)} images are left out: their foreground share '
                f'is not in [{low}, {high}] ({first_names(s.image for s in out)})',
                logger='current',
            )

    def result(self) -> tuple[NDArray[np.int64] | None, frozenset[int]]:
        """Inner indices in use (None for all), and those used without a mask.

        Raises:
            ValueError: If nothing is left.
        """
        if len(self._left_out) == len(self.samples):
            raise ValueError(
                f'none of the {len(self.samples)} images is left: all were skipped or have a '
                'foreground share outside of the limits'
            )
        if not self._left_out:
            return None, frozenset(self._without)
        kept = [s.inner for s in self.samples if s.inner not in self._left_out]
        return np.array(kept, np.int64), frozenset(self._without)

    def _with_mask(self) -> list[Located]:
        unused = self._left_out | self._without
        return [sample for sample in self.samples if sample.inner not in unused]

    def _shared(self) -> dict[int, str]:
        """Samples whose mask is another image's as well."""
        owners: dict[str, str] = {}
        bad = {}
        for sample in self._with_mask():
            owner = owners.setdefault(sample.mask or '', sample.image)
            if owner != sample.image:
                bad[sample.inner] = f"it is the mask of image '{owner}' as well"
        return bad

    def _apply(self, option: str, problems: dict[int, str]) -> None:
        if not problems:
            return
        action = self.actions[option]
        samples = [sample for sample in self.samples if sample.inner in problems]
        first = samples[0]
        kind = 'no saliency mask' if option == 'on_missing_mask' else 'a bad saliency mask'
        text = f'{len(samples)} of {len(self.samples)} images have {kind}'
        if action == 'error':
            raise ValueError(
                f"{text}, first of all '{first.image}', mask '{first.mask}': "
                f'{problems[first.inner]}. Masks were looked for in '
                f"'{first.store.list_file or first.store.root}'. Make them, or set `{option}` to "
                "'no_background_op' or 'skip'"
            )
        names = first_names(f'{s.image} ({problems[s.inner]})' for s in samples[:4])
        print_log(f'{text} -> {action}: {names}', logger='current', level=logging.WARNING)
        (self._left_out if action == 'skip' else self._without).update(problems)


def require_usable_masks(samples: Sequence[Located], *, any_size: bool) -> None:
    """Decode the masks of some samples.

    Args:
        samples (Sequence[Located]): The samples.
        any_size (bool): Whether a mask may have another size than its image.

    Raises:
        ValueError: If there are masks and none of them can be used.
    """
    pairs = [(sample.image, sample.mask) for sample in samples if sample.mask]
    problems = [_problem(*pair, any_size=any_size) for pair in pairs]
    if problems and all(problems):
        raise ValueError(
            f'none of the {len(pairs)} masks looked at can be used, e.g. saliency mask '
            f"'{pairs[0][1]}' of image '{pairs[0][0]}': {problems[0]}"
        )


def _problem(image_path: str, mask_path: str, *, any_size: bool) -> str | None:
    """What is wrong with a mask; None also when there is no such file."""
    try:
        read_mask(mask_path)
    except FileNotFoundError:
        return None
    except (ValueError, OSError) as error:
        return str(error)
    return None if any_size else header_problem((image_path, mask_path))


def require_mask_folders(stores: Sequence[MaskFolder]) -> None:
    """Raise ValueError if a store's folder does not exist."""
    for store in stores:
        store.require()


def share_statistics(samples: Sequence[Located], *, share_file: str | None) -> dict[str, float]:
    """See ``SaliencyMaskDataset.foreground_share_statistics``."""
    shares = _shares(samples, share_file)
    known = shares[~np.isnan(shares)]
    statistics: dict[str, float] = {'count': len(known), 'unreadable': len(shares) - len(known)}
    if not len(known):
        return statistics
    statistics.update(mean=float(known.mean()), std=float(known.std()))
    names = ('min', 'p5', 'p25', 'median', 'p75', 'p95', 'max')
    quantiles = np.quantile(known, (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1))
    statistics.update(zip(names, map(float, quantiles), strict=True))
    return statistics


def _shares(samples: Sequence[Located], share_file: str | None) -> NDArray[np.float64]:
    """Foreground share of each sample's mask; one cache file a store."""
    shares = np.full(len(samples), np.nan)
    by_cache: dict[str, list[int]] = {}
    for i, sample in enumerate(samples):
        root = sample.store.root.rstrip('/')
        by_cache.setdefault(share_file or f'{root}.foreground_share.csv', []).append(i)
    for cache, members in by_cache.items():
        shares[members] = foreground_shares([samples[i].mask or '' for i in members], cache=cache)
    return shares


def _no_masks(first: Located) -> str:
    root = first.store.root
    if first.mask is None:
        return (
            f"the list file '{first.store.list_file}' names none of the images, e.g. not "
            f"'{first.store.relative(first.image)}': its first column must hold the image paths "
            f"below '{first.store.image_root}'"
        )
    exists = '://' in root or os.path.exists(root)
    return (
        f"no image has a saliency mask: looked in '{root}'"
        f'{"" if exists else " (there is no such folder)"}, e.g. for image '
        f"'{first.image}' expected '{first.mask}'. Make the masks, or say where they are "
        '(`mask_root`, `name_rule` or `list_file` of SaliencyMaskDataset)'
    )
