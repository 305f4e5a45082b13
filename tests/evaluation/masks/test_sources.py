import numpy as np
import pytest
from PIL import Image

from bgaug_mm.datasets.mask_packing import pack_masks
from bgaug_mm.datasets.mask_store import MaskFolder
from bgaug_mm.evaluation.masks.evaluator import list_pairs, read_pair
from bgaug_mm.evaluation.masks.sources import EstimatedMasks, SourceSpec, StoredMasks
from bgaug_mm.registry import SALIENCY_ESTIMATORS
from bgaug_mm.saliency import SaliencyEstimator


class Brightness(SaliencyEstimator):
    """The mean of the channels, times a factor."""

    def __init__(self, *, factor=1.0, note='', size=None):
        super().__init__(size)
        self.factor, self.note = factor, note

    def estimate(self, image):
        return image.mean(2) / 255 * self.factor


@pytest.fixture
def registered():
    SALIENCY_ESTIMATORS.import_from_location()
    SALIENCY_ESTIMATORS.register_module(name='brightness', module=Brightness)
    yield
    del SALIENCY_ESTIMATORS.module_dict['brightness']


def test_estimates_are_what_a_file_would_hold():
    image = np.full((4, 4, 3), 100, np.uint8)
    mask = EstimatedMasks(Brightness(factor=0.987))('x.png', image)
    assert mask.dtype == np.uint8 and (mask == 99).all()  # 98.7 rounded


def test_stored_masks_are_brought_to_the_images_size(world):
    pairs = list_pairs(str(world / 'set'))
    stored = StoredMasks(MaskFolder(str(world / 'set'), str(world / 'set_masks')))
    for size in (None, 16):
        for pair in pairs:
            image, truth = read_pair(pair, size)
            assert np.array_equal(stored(pair.image, image), truth)
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


def test_packed_store(world):
    pack_masks(str(world / 'set_masks'), str(world / 'set.masks'), threads=1)
    stored = SourceSpec.parse(f'mine={world}/set.masks').build(str(world / 'set'))
    for pair in list_pairs(str(world / 'set'), str(world / 'set.masks')):
        image, truth = read_pair(pair)
        assert np.array_equal(stored(pair.image, image), truth) and truth.max() == 255
    Image.new('RGB', (32, 24)).save(world / 'set/later.png')
    with pytest.raises(ValueError, match=r'later\.png has no mask in .*set\.masks'):
        stored(str(world / 'set/later.png'), image)
    (world / 'cut.masks').write_bytes((world / 'set.masks').read_bytes()[:20])
    with pytest.raises(ValueError, match=r'cut\.masks'):
        SourceSpec.parse(f'mine={world}/cut.masks').build(str(world / 'set'))


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
