import time

import pytest
from PIL import Image

from bgaug_mm.evaluation.masks.evaluator import (
    SourceError,
    evaluate_source,
    list_pairs,
    read_pair,
)
from bgaug_mm.evaluation.masks.sources import EstimatedMasks
from bgaug_mm.saliency import SaliencyEstimator

pytest.importorskip('py_sod_metrics')


class Brightness(SaliencyEstimator):
    """The mean of the channels, times a factor."""

    calls = 0

    def __init__(self, factor=1.0):
        super().__init__()
        self.factor = factor

    def estimate(self, image):
        self.calls += 1
        return image.mean(2) / 255 * self.factor


def test_pairs_in_order_and_evenly_spaced(world):
    pairs = list_pairs(str(world / 'set'))
    assert [pair.name for pair in pairs[:6]] == [f'0 ü/{i}.png' for i in (0, 2, 4, 6, 8)] + [
        '1 ü/1.png'
    ]
    image, truth = read_pair(pairs[0])
    assert (image == truth[..., None]).all()
    limited = list_pairs(str(world / 'set'), limit=2)
    assert [pair.name for pair in limited] == ['0 ü/0.png', '1 ü/1.png']
    assert list_pairs(str(world / 'set'), limit=99) == pairs
    elsewhere = list_pairs(str(world / 'set'), str(world / 'set'))
    assert elsewhere[0].truth == elsewhere[0].image
    image, truth = read_pair(pairs[0], 16)
    assert image.shape == (12, 16, 3) and truth.shape == (12, 16)


def test_bad_data(world):
    with pytest.raises(ValueError, match='`limit` must be at least 1, but got 0'):
        list_pairs(str(world / 'set'), limit=0)
    with pytest.raises(ValueError, match='no folder .*none'):
        list_pairs(str(world / 'none'))
    with pytest.raises(ValueError, match='no true masks at .*set_masks_masks; .*--truth'):
        list_pairs(str(world / 'set_masks'))
    (world / 'set_masks/1 ü/3.png').unlink()
    (world / 'set_masks/1 ü/9.png').unlink()
    with pytest.raises(ValueError, match=r'2 of 10 images have no true mask, the first .*/3\.png'):
        list_pairs(str(world / 'set'))
    Image.new('L', (24, 32)).save(world / 'set_masks/0 ü/0.png')
    with pytest.raises(ValueError, match=r'0\.png is 32x24, but its true mask .* 24x32'):
        read_pair(list_pairs(str(world / 'set'), limit=1)[0])
    (world / 'set_masks/0 ü/0.png').write_bytes(b'x')
    with pytest.raises(ValueError, match=r'mask .*0\.png: it cannot be decoded'):
        read_pair(list_pairs(str(world / 'set'), limit=1)[0])


def test_estimator_is_scored_and_timed_after_its_first_image(world):
    pairs, estimator, seen = list_pairs(str(world / 'set')), Brightness(), []
    estimate = estimator.estimate

    def slow_at_first(image):
        time.sleep(0 if estimator.calls else 0.5)
        return estimate(image)

    estimator.estimate = slow_at_first
    result = evaluate_source(EstimatedMasks(estimator), pairs, advance=lambda: seen.append(1))
    assert len(result.scores) == len(result.seconds) == len(seen) == 10
    assert all(one.iou == 1 and one.harmless for one in result.scores)
    assert max(result.seconds) < 0.5
    half = evaluate_source(EstimatedMasks(Brightness(factor=0.4)), pairs)
    assert all(one.iou == 0 for one in half.scores)  # 0.4 is below one half


def test_failing_source_names_the_image(world):
    pairs = list_pairs(str(world / 'set'))
    with pytest.raises(SourceError, match=r'0 ü/0\.png: .*not finite'):
        evaluate_source(EstimatedMasks(Brightness(factor=float('nan'))), pairs)
    broken = Brightness()
    broken.estimate = lambda image: [][0]
    with pytest.raises(SourceError, match=r'0\.png: list index out of range'):
        evaluate_source(EstimatedMasks(broken), pairs)
