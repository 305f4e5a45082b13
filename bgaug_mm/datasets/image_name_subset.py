"""The images of a dataset that a list names, such as SimCLR's 1 % and 10 % of ImageNet."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bgaug_mm.registry import DATASETS

from .dataset_chain import build_dataset


@DATASETS.register_module()
class ImageNameSubset:
    """The samples of a dataset whose image files are named in a list.

    The list has a file name a line (``n01440764_10074.JPEG``), as the subsets that Chen et
    al. (SimCLR, ICML 2020, section 4.2; released lists) fine-tune on, and most work after
    them; folders before the name and a label behind it are left out. Labels are the dataset's.

    Args:
        dataset (dict | BaseDataset): The whole dataset, one of image files.
        names (str): The list; a relative path is below the dataset's ``data_root``.
        source (str): Where the list can be fetched, for the error. Defaults to ''.
        lazy_init (bool): Leave :meth:`full_init` to the caller. Defaults to False.

    Raises:
        ValueError: If the list is missing (the message says which file to fetch and where
            it belongs), is empty, or names images that the dataset does not have or has
            twice.
    """

    def __init__(
        self,
        dataset: Mapping[str, Any] | Any,
        names: str,
        *,
        source: str = '',
        lazy_init: bool = False,
    ) -> None:
        self.dataset = build_dataset(dataset)
        self.names = names
        self.source = source
        self._fully_initialized = False
        if not lazy_init:
            self.full_init()

    @property
    def metainfo(self) -> dict[str, Any]:
        """The whole dataset's."""
        return self.dataset.metainfo

    def full_init(self) -> None:
        """Keep the samples that are named."""
        if self._fully_initialized:
            return
        path = Path(getattr(self.dataset, 'data_root', '') or '', self.names)
        wanted = self._read(path)
        self.dataset.full_init()
        found: dict[str, int] = {}
        for index in range(len(self.dataset)):
            name = os.path.basename(self.dataset.get_data_info(index)['img_path'])
            if name not in wanted:
                continue
            if name in found:
                raise ValueError(f'{name}, which {path} names, is twice in the dataset')
            found[name] = index
        missing = sorted(wanted - found.keys())
        if missing:
            raise ValueError(
                f'{len(missing)} of the {len(wanted)} images that {path} names are not in the '
                f'dataset, e.g. {missing[0]}: is it the list of another dataset?'
            )
        self.dataset.get_subset_(sorted(found.values()))
        self._fully_initialized = True

    def _read(self, path: Path) -> set[str]:
        if not path.is_file():
            fetch = f': fetch {self.source} and put it there' if self.source else ''
            raise ValueError(f'the list of names {path} does not exist{fetch}')
        lines = path.read_text(encoding='utf-8', errors='surrogateescape').splitlines()
        names = {os.path.basename(line.split()[0]) for line in lines if line.strip()}
        if not names:
            raise ValueError(f'the list of names {path} is empty')
        return names

    def __len__(self) -> int:
        return len(self.dataset)

    def __getitem__(self, idx: int) -> Any:
        """A sample after the dataset's pipeline."""
        return self.dataset[idx]

    def get_data_info(self, idx: int) -> dict[str, Any]:
        """The dataset's information on a sample."""
        return self.dataset.get_data_info(idx)

    def get_cat_ids(self, idx: int) -> list[int]:
        """Categories of a sample, for ClassBalancedDataset."""
        return self.dataset.get_cat_ids(idx)

    def _get_ori_dataset_idx(self, idx: int) -> int:
        return idx
