"""A dataset of images, wrapped so that each sample knows its saliency mask."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from mmengine.dataset import BaseDataset, Compose, force_full_init
from mmengine.fileio import join_path
from mmengine.logging import print_log
from mmengine.utils import is_abs
from numpy.typing import NDArray

from bgaug_mm.registry import DATASETS

from .backgrounds.binding import bind_sources
from .dataset_chain import (
    DATA_ERRORS,
    build_dataset,
    image_path,
    image_problem,
    image_root,
    leaf_of,
    leaves,
    no_data,
)
from .mask_selection import (
    Located,
    MaskSelection,
    require_mask_folders,
    require_usable_masks,
    share_statistics,
)
from .mask_store import BAD_MASK_ACTIONS, MaskFolder, open_mask_store

_CHECKS = ('exists', 'header', 'none')


@DATASETS.register_module()
class SaliencyMaskDataset(BaseDataset):
    """Any dataset of mmengine, mmselfsup, mmcls or mmpretrain, plus saliency masks.

    A sample is the wrapped dataset's, with ``saliency_mask_path`` (str, or None for
    "no background operation"), ``on_missing_mask`` and ``on_bad_mask`` for
    ``LoadSaliencyMask``, and ``sample_idx``, its index here. It has no ``data_root`` of
    its own: the masks are found relative to the wrapped dataset's image folder
    (``data_prefix`` below ``data_root``), each in a ConcatDataset relative to its own.

    Missing masks, and what ``check`` finds out, are decided in :meth:`full_init`,
    before training starts; when no image at all has a mask, that is always an error.
    What only decoding can show is decided in ``LoadSaliencyMask``. A mask that belongs
    to another image is noticed when its size differs, when two images share it, or
    when a list file contradicts itself.

    Args:
        dataset (dict | BaseDataset): The dataset to wrap; also ConcatDataset,
            RepeatDataset, ClassBalancedDataset, KFoldDataset.
        mask_root (str, optional): Folder of the masks, or a packed store (``*.masks``, see
            ``tools/saliency/pack_masks.py``); a relative one is below the wrapped
            dataset's ``data_root``, as its ``data_prefix`` is. Defaults to None: beside
            the image folder, its name with ``_masks`` behind it, so that
            ``imagenet/train/n01/x.JPEG`` has ``imagenet/train_masks/n01/x.png``.
        pipeline (Sequence, optional): Transforms for the samples. Defaults to None:
            the wrapped dataset's own.
        mask_suffix (str): Ending of the mask files. Defaults to '.png'.
        name_rule (str, optional): See :class:`~bgaug_mm.datasets.mask_store.MaskFolder`.
        list_file (str, optional): Two columns, image and mask; see there. A relative
            one is below ``data_root``.
        on_missing_mask (str): ``'error'``, ``'no_background_op'`` (the sample stays, its
            background is never exchanged) or ``'skip'``. Defaults to 'error'.
        on_bad_mask (str, optional): The same for a mask that cannot be used. Defaults to
            None: ``'error'`` for what shows before training starts,
            ``'no_background_op'`` (logged once a file) for what shows when the mask is
            loaded, so that a broken file does not stop a run in the middle of an epoch.
            A few masks are decoded at the start: when none of them can be used, that is
            an error in any case.
        on_bad_image (str): ``'error'`` or ``'skip'`` (another sample is taken, logged
            once a file) for an image that cannot be decoded. Defaults to 'error'.
        check (str): What is looked at in :meth:`full_init`: ``'exists'`` (the mask
            files' names), ``'header'`` (also the headers of all masks and images:
            sizes, bit depth) or ``'none'`` (nothing but the folder, for a start
            without delay). Defaults to 'exists'.
        min_foreground (float, optional): Leave out images with a smaller share of
            foreground, in [0, 1]; reads all masks once. Defaults to None.
        max_foreground (float, optional): Leave out images with a larger share.
            Defaults to None.
        share_file (str, optional): CSV file in which the shares are remembered.
            Defaults to None: beside ``mask_root``, ``.foreground_share.csv`` behind
            its name. With several processes, let one compute it beforehand:
            :meth:`foreground_share_statistics`.
        indices (int | Sequence[int], optional): Use the first (or, negative, last) so
            many samples or these, of what is left. Defaults to None, all.
        lazy_init (bool): Leave :meth:`full_init` to the caller. Defaults to False.

    Raises:
        ValueError: One message naming the folder or file and what to do: no data, a
            wrong layout, no masks, missing or bad masks, a broken image, samples
            without ``img_path``, options out of range.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | Any,
        mask_root: str | None = None,
        *,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]] | None = None,
        mask_suffix: str = '.png',
        name_rule: str | None = None,
        list_file: str | None = None,
        on_missing_mask: str = 'error',
        on_bad_mask: str | None = None,
        on_bad_image: str = 'error',
        check: str = 'exists',
        min_foreground: float | None = None,
        max_foreground: float | None = None,
        share_file: str | None = None,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ) -> None:
        for name, value, allowed in (
            ('on_missing_mask', on_missing_mask, BAD_MASK_ACTIONS),
            ('on_bad_mask', on_bad_mask, (None, *BAD_MASK_ACTIONS)),
            ('on_bad_image', on_bad_image, ('error', 'skip')),
            ('check', check, _CHECKS),
        ):
            if value not in allowed:
                raise ValueError(f'`{name}` must be one of {allowed}, but got {value!r}')
        for name, share in (('min_foreground', min_foreground), ('max_foreground', max_foreground)):
            if share is not None and not 0 <= share <= 1:
                raise ValueError(f'`{name}` must be None or in [0, 1], but got {share}')
        self.mask_root = mask_root
        self.mask_suffix = mask_suffix
        self.name_rule = name_rule
        self.list_file = list_file
        self.on_missing_mask = on_missing_mask
        self.on_bad_mask = on_bad_mask
        self.on_bad_image = on_bad_image
        self.check = check
        self.min_foreground = min_foreground
        self.max_foreground = max_foreground
        self.share_file = share_file
        self._indices = indices
        self._logged: set[str] = set()
        #: Inner indices of the samples in use; None while all are.
        self._kept: NDArray[np.int64] | None = None
        #: Inner indices of the samples whose background is never exchanged.
        self._without_mask: frozenset[int] = frozenset()
        #: Each innermost dataset with the store of its masks.
        self._stores: list[tuple[Any, MaskFolder]] = []
        self._fully_initialized = False

        self.dataset = build_dataset(dataset)
        self.pipeline = None if pipeline is None else Compose(pipeline)
        leaf = next(leaves(self.dataset))
        self.test_mode = getattr(leaf, 'test_mode', False)
        self.max_refetch = getattr(leaf, 'max_refetch', 1000)
        self._bind()
        if not lazy_init:
            self.full_init()

    def full_init(self) -> None:
        """Initialise the wrapped dataset and decide which samples are used."""
        if self._fully_initialized:
            return
        try:
            self.dataset.full_init()
            count = len(self.dataset)
            if not count:
                raise ValueError('it has no samples')
        except DATA_ERRORS as error:
            raise ValueError(no_data(self.dataset, error)) from error
        self._stores = [(leaf, self._store(leaf)) for leaf in leaves(self.dataset)]
        limits = (self.min_foreground, self.max_foreground)
        if self.check == 'none' and self.list_file is None and limits == (None, None):
            image_path(self.dataset, 0)
            require_mask_folders([store for _, store in self._stores])
        else:
            selection = MaskSelection(
                [self._locate(inner) for inner in range(count)],
                on_missing_mask=self.on_missing_mask,
                on_bad_mask=self.on_bad_mask or 'error',
            )
            selection.decide(self.check)
            if limits != (None, None):
                selection.limit_share(*limits, share_file=self.share_file)
            self._kept, self._without_mask = selection.result()
        self._look_at_some()
        for _, store in self._stores:
            store.forget()
        self._fully_initialized = True
        if self._indices is not None:
            self.get_subset_(self._indices)

    @property
    def metainfo(self) -> dict[str, Any]:
        """The wrapped dataset's."""
        return self.dataset.metainfo

    @force_full_init
    def __len__(self) -> int:
        return len(self.dataset) if self._kept is None else len(self._kept)

    @force_full_init
    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The wrapped dataset's information on a sample, with our keys."""
        inner, idx = self._inner(idx)
        info: dict[str, Any] = self.dataset.get_data_info(inner)
        info['sample_idx'] = idx
        info['saliency_mask_path'] = None
        if inner not in self._without_mask:
            info['saliency_mask_path'] = self._store_of(inner).locate(info['img_path'])
        info['on_missing_mask'] = self.on_missing_mask
        info['on_bad_mask'] = self.on_bad_mask or 'no_background_op'
        return info

    @force_full_init
    def get_cat_ids(self, idx: int) -> list[int]:
        """Categories of a sample, for ClassBalancedDataset."""
        leaf, leaf_idx = leaf_of(self.dataset, self._inner(idx)[0])
        return leaf.get_cat_ids(leaf_idx)

    def prepare_data(self, idx: int) -> Any:
        """A sample after the pipeline; None when it is to be skipped."""
        info = self.get_data_info(idx)
        path = info['img_path']
        pipeline = self.pipeline
        if pipeline is None:
            pipeline = leaf_of(self.dataset, self._inner(idx)[0])[0].pipeline
        try:
            return pipeline(info)
        except Exception as error:
            # whoever raised it: if the image itself is the cause, say so
            problem = image_problem(path)
            if problem is None:
                raise
            text = f"image '{path}' cannot be used: {problem}"
            if self.on_bad_image == 'error':
                raise ValueError(
                    f"{text}. Repair or remove it, or set `on_bad_image='skip'`"
                ) from error
            if path not in self._logged:
                self._logged.add(path)
                print_log(f'{text} -> skip', logger='current', level=logging.WARNING)
            return None

    def __getitem__(self, idx: int) -> Any:
        """A sample after the pipeline; another one when it is to be skipped."""
        if not self._fully_initialized:
            print_log(
                'Please call `full_init()` method manually to accelerate the speed.',
                logger='current',
                level=logging.WARNING,
            )
            self.full_init()
        data = self.prepare_data(idx)
        if data is not None:
            return data
        if self.test_mode:
            raise ValueError(f'sample {idx} cannot be used, and in test mode none is skipped')
        # A generator of its own: the pipeline seeds the global ones for each sample
        # (SeedSample), and two bad samples could name each other for ever.
        rng = np.random.default_rng(np.random.randint(2**32, dtype=np.uint64))
        for _ in range(self.max_refetch):
            data = self.prepare_data(int(rng.integers(len(self))))
            if data is not None:
                return data
        raise ValueError(
            f'no usable sample found in {self.max_refetch} tries: nearly all images or masks are '
            'missing or bad'
        )

    @force_full_init
    def get_subset_(self, indices: int | Sequence[int]) -> None:
        """Keep the first (negative: last) so many samples, or the given ones."""
        kept = np.arange(len(self.dataset)) if self._kept is None else self._kept
        if isinstance(indices, int):
            kept = kept[:indices] if indices >= 0 else kept[indices:]
        else:
            kept = kept[np.asarray(indices, dtype=np.int64)]
        self._kept = kept

    @force_full_init
    def get_subset(self, indices: int | Sequence[int]) -> SaliencyMaskDataset:
        """The same as a new dataset; the wrapped dataset is shared, not copied."""
        subset = copy.copy(self)
        subset.pipeline = copy.deepcopy(self.pipeline)
        subset.get_subset_(indices)
        if subset.pipeline is not None:  # a leaf's own stays bound to the whole dataset
            bind_sources(subset.pipeline, subset)
        return subset

    @force_full_init
    def foreground_share_statistics(self) -> dict[str, float]:
        """Statistics of the foreground shares of all samples in use that have a mask.

        Reads every mask once and remembers the shares (``share_file``).

        Returns:
            dict[str, float]: ``count``, ``unreadable``, and of the shares, in [0, 1],
            ``mean``, ``std``, ``min``, ``p5``, ``p25``, ``median``, ``p75``, ``p95``, ``max``.
        """
        kept = np.arange(len(self.dataset)) if self._kept is None else self._kept
        samples = [self._locate(int(i)) for i in kept if int(i) not in self._without_mask]
        return share_statistics(samples, share_file=self.share_file)

    def _bind(self) -> None:
        """Make this dataset known to the sources of backgrounds in its pipeline."""
        if self.pipeline is not None:
            bind_sources(self.pipeline, self)
        else:
            for leaf in leaves(self.dataset):
                bind_sources(getattr(leaf, 'pipeline', None), self)

    def _look_at_some(self, count: int = 8) -> None:
        """Decode a few masks; an error when none of them can be used."""
        kept = np.arange(len(self.dataset)) if self._kept is None else self._kept
        chosen = np.unique(kept[np.linspace(0, len(kept) - 1, count).astype(int)])
        steps = getattr(self.pipeline, 'transforms', ())
        require_usable_masks(
            [self._locate(int(i)) for i in chosen if int(i) not in self._without_mask],
            any_size=any(getattr(step, 'resize_to_image', False) for step in steps),
        )

    def _inner(self, idx: int) -> tuple[int, int]:
        """Index in the wrapped dataset, and the index from 0 on here."""
        length = len(self)
        if not -length <= idx < length:
            raise IndexError(f'index {idx} is out of range for {length} samples')
        idx = int(idx) % length
        return (idx if self._kept is None else int(self._kept[idx])), idx

    def _store(self, leaf: Any) -> MaskFolder:
        def below(path: str | None) -> str | None:
            root = getattr(leaf, 'data_root', '')
            return path if path is None or not root or is_abs(path) else join_path(root, path)

        return open_mask_store(
            image_root(leaf),
            below(self.mask_root),
            suffix=self.mask_suffix,
            name_rule=self.name_rule,
            list_file=below(self.list_file),
        )

    def _store_of(self, inner: int) -> MaskFolder:
        leaf = leaf_of(self.dataset, inner)[0]
        return next(store for owner, store in self._stores if owner is leaf)

    def _locate(self, inner: int) -> Located:
        store, path = self._store_of(inner), image_path(self.dataset, inner)
        return Located(inner, path, store.locate(path), store)
