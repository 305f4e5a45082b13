"""ImageNet-V2 (Recht et al., ICML 2019)."""

from __future__ import annotations

from collections.abc import Iterable

from bgaug_mm.registry import DATASETS

from .base import RobustnessSet
from .class_folders import IMAGENET_CLASSES, Label, labelled_images

#: The three test sets, by the folders that their archives unpack to.
IMAGENET_V2_FOLDERS = {
    'matched-frequency': 'imagenetv2-matched-frequency-format-val',
    'threshold0.7': 'imagenetv2-threshold0.7-format-val',
    'top-images': 'imagenetv2-top-images-format-val',
}


@DATASETS.register_module()
class ImageNetV2(RobustnessSet):
    """A test set of ImageNet-V2: ``<data_root>/<class number>/*.jpeg``.

    Recht et al., "Do ImageNet Classifiers Generalize to ImageNet?" (ICML 2019, section 3).
    The folders are named 0 to 999 and these are the classes: sorted as texts (0, 1, 10, …)
    they would be others.

    Args:
        data_root (str | PathLike): One of ``IMAGENET_V2_FOLDERS``, as the archive unpacks.
        **kwargs: Of :class:`RobustnessSet`.
    """

    SOURCE = (
        'imagenetv2-matched-frequency.tar.gz (or -threshold0.7, -top-images) of '
        'https://huggingface.co/datasets/vaishaal/ImageNetV2'
    )

    def samples(self) -> Iterable[tuple[str, Label]]:
        """Images of all 1000 classes."""
        return labelled_images(self.root, {str(index): index for index in range(IMAGENET_CLASSES)})
