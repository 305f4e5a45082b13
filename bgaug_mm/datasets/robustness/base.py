"""What all robustness sets share."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, ClassVar

from mmengine.dataset import BaseDataset

from .class_folders import Label, require


class RobustnessSet(BaseDataset):
    """A test set in the layout of its authors; neither mmpretrain nor mmcls is needed.

    A sample has ``img_path`` (str) and ``gt_label`` (int, or a list of ints any of which is
    right), as mmpretrain's and mmcls' datasets have. ``metainfo`` says how a classifier's
    outputs are read, see :func:`bgaug_mm.evaluation.robustness.answers.answers`:

    - ``class_indices``: the outputs looked at, a tuple of ints; None for all.
    - ``label_map``: the set's class for each of ImageNet's 1000, -1 for none of them; None
      where the labels are ImageNet's.
    - ``num_classes``: how many classes the set has by itself (9 for ImageNet-9, else 1000).

    Args:
        data_root (str | PathLike): The folder that the authors' archive unpacks to.
        pipeline (Sequence): Transforms for the samples. Defaults to none.
        test_mode (bool): As in mmengine's ``BaseDataset``. Defaults to True.
        indices (int | Sequence[int], optional): Take so many samples or these only. Defaults
            to None, all.
        lazy_init (bool): Leave ``full_init`` to the caller. Defaults to False.

    Raises:
        FileNotFoundError: If the folder or a distributed file is not there: says where it
            comes from and where it belongs.
        ValueError: For a missing, empty or unknown class folder, or a broken file.
    """

    #: Where the authors distribute it.
    SOURCE: ClassVar[str] = ''
    #: Whether its images come at 224 px, to be shown as they are.
    CROPPED: ClassVar[bool] = False
    #: Pixels to take away on each side before anything else.
    BORDER: ClassVar[int] = 0
    METAINFO: ClassVar[dict[str, Any]] = {
        'class_indices': None,
        'label_map': None,
        'num_classes': 1000,
    }

    def __init__(
        self,
        data_root: str | os.PathLike[str],
        *,
        pipeline: Sequence[dict[str, Any] | Callable[..., Any]] = (),
        test_mode: bool = True,
        indices: int | Sequence[int] | None = None,
        lazy_init: bool = False,
    ) -> None:
        super().__init__(
            data_root=os.fspath(data_root),
            pipeline=list(pipeline),
            test_mode=test_mode,
            indices=indices,
            serialize_data=False,  # 75,000 samples at most
            lazy_init=lazy_init,
        )

    @property
    def root(self) -> Path:
        """The set's folder."""
        return Path(self.data_root)

    @property
    def folder(self) -> Path:
        """The folder of the class folders."""
        return self.root

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Paths and labels; may write into ``self._metainfo``."""
        raise NotImplementedError

    def load_data_list(self) -> list[dict[str, Any]]:
        """The samples, as mmengine wants them."""
        require(self.root, f'the folder of {type(self).__name__}', self.SOURCE)
        return [{'img_path': path, 'gt_label': label} for path, label in self.samples()]
