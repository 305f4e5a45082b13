"""A run stops before its first image where annotations and config name other classes."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Collection, Iterator, Sequence
from typing import Any

from mmengine.fileio import get_text
from mmengine.hooks import Hook
from mmengine.runner import BaseLoop, Runner

from bgaug_mm.registry import HOOKS


@HOOKS.register_module()
class KnownClassesHook(Hook):
    """Compare the classes of annotation files with those of the config.

    mmdet leaves out objects of other classes, and takes an annotation file that lacks some of
    the classes, without a word: a detector then learns less than one thinks, or counts its
    classes otherwise than the evaluation does. COCO's files (``CocoDataset``, ``CocoMetric``)
    and VOC's (``XMLDataset``) are compared; of COCO's, those that are not evaluated are only
    compared for classes they lack.

    Args:
        left_out (Sequence[str]): Classes of the annotations that are left out on purpose.
            Default: none.

    Raises:
        ValueError: Naming the file and the classes.
    """

    def __init__(self, *, left_out: Sequence[str] = ()) -> None:
        self.left_out = frozenset(left_out)

    def before_run(self, runner: Runner) -> None:
        """Training, its evaluation, or a test."""
        for loop in (runner._train_loop, runner._val_loop, runner._test_loop):
            if not isinstance(loop, BaseLoop):
                continue
            for dataset in _innermost(loop.dataloader.dataset):
                self._check(dataset)
            for metric in getattr(getattr(loop, 'evaluator', None), 'metrics', ()):
                if (coco := getattr(metric, '_coco_api', None)) is not None:
                    names = [category['name'] for category in coco.dataset['categories']]
                    classes = loop.dataloader.dataset.metainfo['classes']
                    self._refuse_unknown(names, classes, 'the evaluated annotations')

    def _check(self, dataset: Any) -> None:
        classes, file = dataset.metainfo.get('classes', ()), getattr(dataset, 'ann_file', '')
        if hasattr(dataset, 'cat_ids') and len(dataset.cat_ids) < len(classes):
            named = [category['name'] for category in json.loads(get_text(file))['categories']]
            lacking = sorted(set(classes) - set(named))
            raise ValueError(
                f'{file} lacks the classes {", ".join(lacking)}; it has {", ".join(named)}. Name '
                'its classes in metainfo.classes of the dataset'
            )
        if hasattr(dataset, 'ann_subdir'):  # XMLDataset keeps no names
            paths = (dataset.get_data_info(i)['xml_path'] for i in range(len(dataset)))
            self._refuse_unknown({name for path in paths for name in _names(path)}, classes, file)

    def _refuse_unknown(self, names: Collection[str], classes: Collection[str], file: str) -> None:
        unknown = sorted(set(names) - set(classes) - self.left_out)
        if unknown:
            raise ValueError(
                f'{file}: objects of the unknown classes {", ".join(unknown)} (known: '
                f'{", ".join(classes)}). Name them in metainfo.classes of the datasets and count '
                'them in num_classes, or leave them out with left_out of KnownClassesHook'
            )


def _innermost(dataset: Any) -> Iterator[Any]:
    """The datasets inside wrappers and concatenations."""
    inner = getattr(dataset, 'datasets', None) or [getattr(dataset, 'dataset', None)]
    if inner == [None]:
        yield dataset
    else:
        for part in inner:
            yield from _innermost(part)


def _names(path: str) -> Iterator[str]:
    for entry in ElementTree.fromstring(get_text(path)).iterfind('object/name'):
        yield entry.text or ''
