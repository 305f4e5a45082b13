import pytest
import torch

from bgaug_mm.datasets.backgrounds import Background, GreyBackground
from bgaug_mm.models.data_preprocessors import batch_sources
from bgaug_mm.models.data_preprocessors.batch_source import BatchSource, Views, batch_source


class Stripes(Background):
    """A source of a user."""

    def draw(self, image, mask, sample_idx):
        return 0

    def render(self, params, height, width):
        raise NotImplementedError


def test_a_source_without_counterpart_is_named_until_one_is_registered():
    with pytest.raises(ValueError, match='`background` of type Stripes has no counterpart'):
        batch_source(Stripes(), 1)

    class BatchStripes(BatchSource):
        def draw(self, chosen, batch):
            return None

        def render(self, params, chosen, views):
            raise NotImplementedError

    class Registered(Stripes):
        pass

    batch_source.register(Registered, lambda source, bank_size: BatchStripes())
    assert isinstance(batch_source(Registered(), 1), BatchStripes)


def test_a_subclass_has_its_parents_counterpart():
    class Dark(GreyBackground):
        pass

    assert isinstance(batch_source(Dark(level=3), 1), batch_sources.BatchGrey)


def test_views_of_some_images():
    views = Views(torch.arange(12).view(4, 3, 1, 1), torch.arange(4).view(4, 1, 1, 1), True)
    some = views.of(torch.tensor([2, 0]))
    assert some.images.flatten().tolist() == [6, 7, 8, 0, 1, 2]
    assert some.masks.flatten().tolist() == [2, 0] and some.reversed
