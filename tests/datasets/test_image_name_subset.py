import numpy as np
import pytest
from mmengine.dataset import BaseDataset
from mmengine.registry import DATASETS
from PIL import Image

from bgaug_mm.datasets import ImageNameSubset, SaliencyMaskDataset


class Folder(BaseDataset):
    def load_data_list(self):
        return [
            dict(img_path=f'{self.data_root}/{i % 2}/n_{i}.JPEG', gt_label=i % 2) for i in range(6)
        ]


@pytest.fixture
def dataset(tmp_path):
    return Folder(data_root=str(tmp_path))


@pytest.mark.parametrize(
    'text', ['n_4.JPEG\nn_1.JPEG\n', '\n 0/n_4.JPEG 0\n\n1/n_1.JPEG 1', 'n_4.JPEG\r\nn_1.JPEG']
)
def test_named_samples_keep_their_order_and_labels(dataset, tmp_path, text):
    (tmp_path / 'some.txt').write_text(text)
    subset = ImageNameSubset(dataset, 'some.txt')
    assert len(subset) == 2
    infos = [subset.get_data_info(i) for i in range(2)]
    assert [info['img_path'][-8:] for info in infos] == ['n_1.JPEG', 'n_4.JPEG']
    assert [subset[i]['gt_label'] for i in range(2)] == [1, 0]
    assert subset.metainfo == dataset.metainfo


def test_lazily_built_from_a_config_and_below_masks(tmp_path):
    (tmp_path / 'some.txt').write_text('n_3.JPEG\n')
    config = dict(type=Folder, data_root=str(tmp_path))
    subset = DATASETS.build(
        dict(type='bgaug_mm.ImageNameSubset', dataset=config, names='some.txt', lazy_init=True)
    )
    subset.full_init()
    subset.full_init()
    assert len(subset) == 1
    for part, mode in (('1', 'RGB'), ('masks/1', 'L')):
        (tmp_path / part).mkdir(parents=True)
        Image.fromarray(np.full((4, 4) + (3,) * (mode == 'RGB'), 128, np.uint8)).save(
            tmp_path / part / ('n_3.JPEG' if mode == 'RGB' else 'n_3.png')
        )
    masked = SaliencyMaskDataset(subset, mask_root=str(tmp_path / 'masks'), pipeline=[])
    assert len(masked) == 1 and masked[0]['saliency_mask_path'].endswith('1/n_3.png')


def test_errors_say_what_to_fetch_and_what_is_wrong(dataset, tmp_path):
    with pytest.raises(ValueError, match='names .*/meta/1percent.txt does not exist: fetch https:'):
        ImageNameSubset(dataset, 'meta/1percent.txt', source='https://x/1percent.txt')
    with pytest.raises(ValueError, match='does not exist$'):
        ImageNameSubset(dataset, 'none.txt')
    (tmp_path / 'empty.txt').write_text('\n\n')
    with pytest.raises(ValueError, match='empty.txt is empty'):
        ImageNameSubset(dataset, 'empty.txt')
    (tmp_path / 'other.txt').write_text('n_1.JPEG\nn_9.JPEG\nn_8.JPEG\n')
    with pytest.raises(ValueError, match='2 of the 3 images that .* e.g. n_8.JPEG: is it the list'):
        ImageNameSubset(dataset, 'other.txt')

    class Twice(Folder):
        def load_data_list(self):
            return 2 * super().load_data_list()

    (tmp_path / 'one.txt').write_text('n_1.JPEG')
    with pytest.raises(ValueError, match='n_1.JPEG, which .* names, is twice in the dataset'):
        ImageNameSubset(Twice(data_root=str(tmp_path)), 'one.txt')
