import time

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.mask_store import MaskFolder
from bgaug_mm.evaluation.mask_evaluation import (
    EstimatedMasks,
    SourceError,
    SourceSpec,
    StoredMasks,
    evaluate_source,
    list_pairs,
    read_pair,
)
from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import SaliencyEstimator

pytest.importorskip('py_sod_metrics')


class Brightness(SaliencyEstimator):
    """The mean of the channels, times a factor."""

    calls = 0

    def __init__(self, *, factor=1.0, note='', size=None):
        super().__init__(size)
        self.factor, self.note = factor, note

    def estimate(self, image):
        self.calls += 1
        return image.mean(2) / 255 * self.factor


@pytest.fixture
def registered():
    SALIENCY_ESTIMATORS.import_from_location()
    SALIENCY_ESTIMATORS.register_module(name='brightness', module=Brightness)
    yield
    del SALIENCY_ESTIMATORS.module_dict['brightness']


@pytest.fixture
def world(tmp_path):
    """Ten images of a bright square on black, and their true masks."""
    for i in range(10):
        mask = np.zeros((24, 32), np.uint8)
        mask[6:18, 4 + i : 18 + i] = 255
        for part, pixels in (('set', np.dstack([mask] * 3)), ('set_masks', mask)):
            path = tmp_path / part / f'{i % 2} ü' / f'{i}.png'
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels).save(path)
    return tmp_path


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


def test_estimates_are_what_a_file_would_hold():
    image = np.full((4, 4, 3), 100, np.uint8)
    mask = EstimatedMasks(Brightness(factor=0.987))('x.png', image)
    assert mask.dtype == np.uint8 and (mask == 99).all()  # 98.7 rounded


def test_failing_source_names_the_image(world):
    pairs = list_pairs(str(world / 'set'))
    with pytest.raises(SourceError, match=r'0 ü/0\.png: .*not finite'):
        evaluate_source(EstimatedMasks(Brightness(factor=float('nan'))), pairs)
    broken = Brightness()
    broken.estimate = lambda image: [][0]
    with pytest.raises(SourceError, match=r'0\.png: list index out of range'):
        evaluate_source(EstimatedMasks(broken), pairs)


def test_stored_masks_are_brought_to_the_images_size(world):
    pairs = list_pairs(str(world / 'set'))
    stored = StoredMasks(MaskFolder(str(world / 'set'), str(world / 'set_masks')))
    assert all(one.iou == 1 for one in evaluate_source(stored, pairs).scores)
    assert all(one.iou == 1 for one in evaluate_source(stored, pairs, size=16).scores)
    path = world / 'set_masks/0 ü/0.png'
    truth = np.asarray(Image.open(path))
    Image.fromarray(truth).resize((16, 12), Image.Resampling.BOX).save(path)
    image = read_pair(pairs[1])[0]
    assert np.array_equal(stored(pairs[0].image, image) >= 128, truth == 255)
    Image.fromarray(truth).resize((16, 16)).save(path)
    with pytest.raises(ValueError, match='is 16x16, which does not fit the image .* 32x24'):
        stored(pairs[0].image, image)
    path.unlink()
    stored.store.forget()
    with pytest.raises(ValueError, match=r'0\.png has no mask in .*set_masks'):
        stored(pairs[0].image, image)


def test_specifications(world, registered):
    images = str(world / 'set')
    plain = SourceSpec.parse('brightness').build(images)
    assert plain.estimator.factor == 1
    spec = SourceSpec.parse('dim=brightness:factor=0.5,note=a,b/c=d.onnx,size=100')
    assert spec.name == 'dim' and not spec.stored
    assert spec.options == {'factor': 0.5, 'note': 'a,b/c=d.onnx', 'size': 100}
    assert spec.build(images).estimator.size == 100
    assert SourceSpec.parse('brightness:factor=0.5').name == 'brightness:factor=0.5'
    stored = SourceSpec.parse(f'mine={world}/set_masks')
    assert stored.stored and stored.name == 'mine'
    assert isinstance(stored.build(images), StoredMasks)


def test_bad_specifications(registered):
    with pytest.raises(ValueError, match='nowhere is neither an estimator nor a place of masks'):
        SourceSpec.parse('mine=nowhere')
    with pytest.raises(ValueError, match="options must be KEY=VALUE, but got 'fast'"):
        SourceSpec.parse('brightness:fast')
    with pytest.raises(ValueError, match="':a=1' is neither ESTIMATOR"):
        SourceSpec.parse(':a=1')
    with pytest.raises(ValueError, match="unknown estimator 'dark'; known: .*brightness"):
        SourceSpec.parse('dark').build('.')
    with pytest.raises(ValueError, match="estimator 'brightness': .*'fast'"):
        SourceSpec.parse('brightness:fast=1').build('.')
