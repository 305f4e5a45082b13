"""Objects and backgrounds from photographs with saliency masks."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bgaug_mm.datasets.mask_store import open_mask_store, read_mask
from bgaug_mm.datasets.transforms.functional import foreground_share
from bgaug_mm.datasets.transforms.infill import check_infill, has_room, infill

from .composing import Fold
from .files import background_crop, opaque_box, read_rgb
from .image_folders import OBJECTS, cached, place, split_files

Pixels = NDArray[np.uint8]


class _MaskedFiles:
    """Images with masks, split in two folds, those left out that do not serve.

    Files are split before any is left out, and by the same stream whatever they serve
    for: so no file gives objects to one fold and backgrounds to the other.

    Args:
        folder: ``<class>/*.png`` or ``*.jpg``.
        masks: Folder of masks or packed store; None takes the folder beside the images.
        fault: Says why a mask does not serve, or ''.
        size: Side of the images in pixels.
        seed: Draws the split.
        limit: Take so many usable files of a class in each fold.

    Raises:
        ValueError: If a class has no usable file in a fold, with the counts of the
            reasons.
    """

    def __init__(
        self,
        folder: Path,
        masks: str | None,
        fault: Callable[[Pixels], str],
        *,
        size: int,
        seed: int,
        limit: int,
    ) -> None:
        self.size = size
        self._store = open_mask_store(str(folder), masks)
        self._store.require()
        digest = hashlib.sha256()
        #: Reason → number of images that were looked at and left out.
        self.left_out: Counter[str] = Counter()
        self.paths: dict[Fold, list[list[Path]]] = {'train': [], 'test': []}
        parts = split_files(folder, seed=seed, kind=OBJECTS)
        self.classes = list(parts['train'])
        for fold, classes in parts.items():
            for name, members in classes.items():
                kept: list[Path] = []
                reasons: Counter[str] = Counter()
                for path in members:
                    if len(kept) == limit:
                        break
                    mask = self._mask(path)
                    reason = 'no mask' if mask is None else fault(mask)
                    if mask is None or reason:
                        reasons[reason] += 1
                        continue
                    kept.append(path)
                    digest.update('/'.join(path.parts[-2:]).encode())
                    digest.update(path.read_bytes())
                    digest.update(mask.tobytes())
                if not kept:
                    why = ', '.join(f'{count} × {reason}' for reason, count in reasons.items())
                    raise ValueError(
                        f'{folder / name}: none of the {len(members)} images that the seed sets '
                        f'apart to {fold} can be used: {why}'
                    )
                self.left_out += reasons
                self.paths[fold].append(kept)
        self._sha256 = digest.hexdigest()
        self.folds: dict[Fold, dict[str, list[str]]] = {
            fold: {
                name: sorted(path.name for path in kept)
                for name, kept in zip(self.classes, classes, strict=True)
            }
            for fold, classes in self.paths.items()
        }
        self._cached = cached(self._read, self.paths['train'][0][0])

    def _mask(self, path: Path) -> Pixels | None:
        location = self._store.locate(str(path))
        if location is None or not self._store.exists(location):
            return None
        try:
            return read_mask(location)
        except (ValueError, OSError) as error:
            raise ValueError(f'the mask of {path}, {location}: {error}') from error

    def _pair(self, path: Path) -> tuple[Pixels, Pixels]:
        image, mask = read_rgb(path), self._mask(path)
        if mask is None:
            raise ValueError(f'the mask of {path} is gone')
        if image.shape[:2] != mask.shape:
            raise ValueError(
                f'{path} is {image.shape[1]}×{image.shape[0]}, but its mask '
                f'{mask.shape[1]}×{mask.shape[0]} pixels'
            )
        return image, mask

    def _read(self, path: Path) -> Pixels:
        raise NotImplementedError

    def _pick(self, rng: np.random.Generator, fold: Fold, label: int) -> Pixels:
        pool = self.paths[fold][label]
        return self._cached(pool[int(rng.integers(len(pool)))])


class MaskedImages(_MaskedFiles):
    """Objects cut out of photographs by their masks (an ``ObjectPool``).

    Args:
        folder: ``<class>/*.png`` or ``*.jpg``.
        masks: Folder of masks or packed store; None takes the folder beside the images.
        size: Side of the images in pixels.
        seed: Draws the split.
        limit: Take so many usable files of a class in each fold.
        min_share: Least share of the image that the object covers, in [0, 1].
        max_share: Largest share, in [0, 1].
        max_border: Largest share of the image's outermost pixels that the object
            covers, in [0, 1]: what the frame cuts off shows a straight edge elsewhere.
            Defaults to 0.
    """

    def __init__(
        self,
        folder: Path,
        masks: str | None,
        *,
        size: int,
        seed: int,
        limit: int,
        min_share: float = 0.05,
        max_share: float = 0.7,
        max_border: float = 0.0,
    ) -> None:
        if not 0 <= min_share <= max_share <= 1:
            raise ValueError(
                '`--min-share` and `--max-share` must be in [0, 1], the former not above the '
                f'latter, but got {min_share} and {max_share}'
            )
        if not 0 <= max_border <= 1:
            raise ValueError(f'`--max-border` must be in [0, 1], but got {max_border}')
        self._options = {
            'min_share': min_share, 'max_share': max_share, 'max_border': max_border,
        }  # fmt: skip

        def fault(mask: Pixels) -> str:
            share = foreground_share(mask)
            # without a pixel that is rather object than not there is nothing to cut out
            if share < min_share or mask.max() < 128:
                return f'less object than --min-share {min_share}'
            if share > max_share:
                return f'more object than --max-share {max_share}'
            if border_share(mask) > max_border:
                return f'more object at the border than --max-border {max_border}'
            return ''

        super().__init__(folder, masks, fault, size=size, seed=seed, limit=limit)

    @property
    def recorded(self) -> Mapping[str, Any]:
        """What the manifest keeps."""
        return {**self._options, 'sha256': self._sha256}

    def _read(self, path: Path) -> Pixels:
        image, mask = self._pair(path)
        top, bottom, left, right = opaque_box(mask)
        return np.dstack([image, mask])[top:bottom, left:right]

    def draw(self, rng: np.random.Generator, fold: Fold, label: int) -> tuple[Pixels, Pixels]:
        """An object somewhere in the image, mirrored half of the time."""
        return place(self._pick(rng, fold, label), rng, size=self.size)


class InfilledImages(_MaskedFiles):
    """Backgrounds of photographs, the object replaced by its surroundings (a ``PlatePool``).

    Args:
        folder: ``<class>/*.png`` or ``*.jpg``.
        masks: Folder of masks or packed store; None takes the folder beside the images.
        size: Side of the images in pixels.
        seed: Draws the split.
        limit: Take so many usable files of a class in each fold.
        method: See :func:`~bgaug_mm.datasets.transforms.infill.infill`. Defaults to
            'tile_rectangle', as ImageNet-9's Only-BG-T.
    """

    def __init__(
        self,
        folder: Path,
        masks: str | None,
        *,
        size: int,
        seed: int,
        limit: int,
        method: str = 'tile_rectangle',
    ) -> None:
        check_infill(method, 64, 0)
        self._method = method

        def fault(mask: Pixels) -> str:
            return '' if has_room(mask, method) else 'too little background'

        super().__init__(folder, masks, fault, size=size, seed=seed, limit=limit)

    @property
    def recorded(self) -> Mapping[str, Any]:
        """What the manifest keeps."""
        return {'infill': self._method, 'sha256': self._sha256}

    def _read(self, path: Path) -> Pixels:
        filled = infill(*self._pair(path), self._method)
        if filled is None:
            raise ValueError(f'the mask of {path} has changed: it leaves too little background')
        return filled

    def draw(self, rng: np.random.Generator, fold: Fold, label: int) -> Pixels:
        """A random square of one of this fold's backgrounds."""
        return background_crop(self._pick(rng, fold, label), rng, size=self.size, scale=(0.4, 1.0))


def border_share(mask: Pixels) -> float:
    """Share of the outermost pixels of a mask (H, W) that are at least half object."""
    border = np.concatenate([mask[0], mask[-1], mask[1:-1, 0], mask[1:-1, -1]])
    return float((border >= 128).mean())
