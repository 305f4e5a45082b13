import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset
from PIL import Image

from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.visualization import sample_views


class Noise:
    """Two views: the image's blue value, and a random number, in BGR."""

    def __init__(self, log):
        self.log = log

    def __call__(self, results):
        self.log.append((SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch, results['sample_idx']))
        first = torch.zeros(3, 2, 2)
        first[0] = results['sample_idx']
        return {'inputs': [first, torch.full((4, 2, 2), float(np.random.randint(256)))]}


@pytest.fixture
def dataset(tmp_path):
    log = []

    class Images(BaseDataset):
        def load_data_list(self):
            out = []
            for i in range(10):
                Image.new('RGB', (3, 2), (i, 0, 0)).save(tmp_path / f'{i}.png')
                Image.new('L', (3, 2), 10 * i).save(tmp_path / f'{i}m.png')
                mask = str(tmp_path / f'{i}m.png') if i else None
                out.append({'img_path': str(tmp_path / f'{i}.png'), 'saliency_mask_path': mask})
            return out

    made = Images(pipeline=[Noise(log)])
    made.log = log
    return made


def test_pictures(dataset):
    found = sample_views(dataset, [7, 0], epochs=2, seed=5, warm_up=3)
    assert (found[0].original == (7, 0, 0)).all()
    assert found[0].original.shape == (2, 3, 3)
    assert (found[0].mask == 70).all()
    assert found[1].mask is None
    assert len(found[0].views) == 4
    assert (found[0].views[0] == (0, 0, 7)).all()  # BGR to RGB
    assert found[0].views[1].shape == (2, 2, 3)  # a fourth channel is left out
    assert found[0].views[1].dtype == np.uint8
    for epoch in (0, 1):
        indices = [index for seed, at, index in dataset.log if (seed, at) == (5, epoch)]
        assert indices == [0, 3, 6, 7, 0]  # three to warm up, then the wanted


def test_random_states_are_left_as_they_were(dataset):
    np.random.seed(0)
    SAMPLE_STREAM.set(seed=9, epoch=4)
    before, state = np.random.get_state()[1].copy(), torch.get_rng_state()
    sample_views(dataset, [1])
    assert (np.random.get_state()[1] == before).all()
    assert (torch.get_rng_state() == state).all()
    assert (SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch) == (9, 4)
    SAMPLE_STREAM.set(seed=-1, epoch=0)


def test_errors_restore_as_well(dataset):
    with pytest.raises(IndexError):
        sample_views(dataset, [99])
    assert SAMPLE_STREAM.seed == -1
