"""Find one's way through wrapped datasets, and say what their data lack."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import mmcv
from mmengine import fileio
from mmengine.registry import DATASETS

#: What datasets raise when their data are missing or laid out in another way.
DATA_ERRORS = (OSError, RuntimeError, AssertionError, IndexError, ValueError)


def _get(dataset: Any, key: str) -> Any:
    return dataset.get(key) if isinstance(dataset, Mapping) else getattr(dataset, key, None)


def leaf_of(dataset: Any, idx: int) -> tuple[Any, int]:
    """The innermost dataset that holds a sample, and the sample's index there.

    Args:
        dataset: An initialised dataset, or ConcatDataset, RepeatDataset,
            ClassBalancedDataset, KFoldDataset … around datasets, to any depth.
        idx (int): Index of the sample in ``dataset``.
    """
    while True:
        if hasattr(dataset, 'datasets'):
            child, idx = dataset._get_ori_dataset_idx(idx)
            dataset = dataset.datasets[child]
        elif hasattr(dataset, 'dataset'):
            # mmpretrain's KFoldDataset maps to the whole dataset, but by then holds
            # the subset alone
            if not hasattr(dataset, '_ori_indices'):
                idx = dataset._get_ori_dataset_idx(idx)
            dataset = dataset.dataset
        else:
            return dataset, idx


def leaves(dataset: Any) -> Iterator[Any]:
    """All innermost datasets, in order; of built datasets and of configs."""
    children = _get(dataset, 'datasets')
    if children is None and _get(dataset, 'dataset') is not None:
        children = [_get(dataset, 'dataset')]
    if children is None:
        yield dataset
    else:
        for child in children:
            yield from leaves(child)


def image_root(leaf: Any) -> str:
    """Folder of a dataset's images; '' when it names none. Also of a config."""
    prefix = _get(leaf, 'data_prefix')
    if isinstance(prefix, Mapping):
        prefix = prefix.get('img_path', '')
    root = str(_get(leaf, 'data_root') or '')
    prefix = str(prefix or '')
    # a built dataset has joined them already
    if not prefix or not isinstance(leaf, Mapping):
        return prefix or root
    return os.path.join(root, prefix)


def build_dataset(dataset: Mapping[str, Any] | Any) -> Any:
    """Build the dataset to wrap; whatever its data lack becomes one message."""
    if not isinstance(dataset, Mapping):
        if not hasattr(dataset, 'get_data_info'):
            raise ValueError(
                "`dataset` must be a config or a dataset with `get_data_info` (mmengine's "
                f'BaseDataset or a wrapper), but got {type(dataset).__name__}'
            )
        return dataset
    try:
        return DATASETS.build(dataset)
    except DATA_ERRORS as error:
        raise ValueError(no_data(dataset, error)) from error


def no_data(dataset: Any, error: Exception) -> str:
    """The message for data that are not there or not laid out as expected."""
    folders = [image_root(leaf) for leaf in leaves(dataset)]
    named = ', '.join(
        f"'{folder}'" + ('' if fileio.exists(folder) else ' (there is no such folder)')
        for folder in folders
        if folder
    )
    return (
        f'the wrapped dataset cannot be loaded from {named or "its files"}: '
        f'{type(error).__name__}: {error}. Check `data_root`, `data_prefix` and `ann_file` of '
        '`dataset`, and that the folder is laid out as that dataset type expects'
    )


def image_path(dataset: Any, inner: int) -> str:
    """``img_path`` of a sample of the wrapped dataset."""
    info = dataset.get_data_info(inner)
    if not isinstance(info.get('img_path'), str):
        kind = type(leaf_of(dataset, inner)[0]).__name__
        raise ValueError(
            f'masks are found by the path of the image, but the samples of `{kind}` have no '
            f'`img_path`, only {sorted(info)}: use a dataset of image files'
        )
    return info['img_path']


def image_problem(path: str) -> str | None:
    """Why an image file cannot be read, None when it can."""
    try:
        data = fileio.get(path)
        if not data:
            return 'the file is empty'
        if mmcv.imfrombytes(data) is None:
            return 'it cannot be decoded'
    except Exception as error:
        return f'{type(error).__name__}: {error}'
    return None
