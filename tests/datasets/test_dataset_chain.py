import numpy as np
import pytest
from mmengine.dataset import BaseDataset, ClassBalancedDataset, ConcatDataset, RepeatDataset

from bgaug_mm.datasets.dataset_chain import image_problem, image_root, leaf_of, leaves


class Numbers(BaseDataset):
    def __init__(self, count: int) -> None:
        self.count = count
        super().__init__()

    def load_data_list(self) -> list[dict]:
        return [dict(img_path=str(i)) for i in range(self.count)]

    def get_cat_ids(self, idx: int) -> list[int]:
        return [idx % 2]


CHILDREN = [
    dict(type=Numbers, count=3),
    dict(type=RepeatDataset, dataset=dict(type=Numbers, count=4), times=2),
]


def test_leaf_of_agrees_with_the_wrappers_themselves() -> None:
    chain = RepeatDataset(dict(type=ConcatDataset, datasets=CHILDREN), times=2)
    first, repeated = chain.dataset.datasets
    second = repeated.dataset
    assert len(chain) == 22
    for idx in range(22):
        leaf, leaf_idx = leaf_of(chain, idx)
        assert leaf is (first if idx % 11 < 3 else second)
        assert leaf.get_data_info(leaf_idx) == chain.get_data_info(idx)
    balanced = ClassBalancedDataset(first, oversample_thr=1.0)
    for idx in range(len(balanced)):
        assert leaf_of(balanced, idx)[0] is first
        assert first.get_data_info(leaf_of(balanced, idx)[1]) == balanced.get_data_info(idx)
    assert leaf_of(first, 2) == (first, 2)


def test_leaves_of_datasets_and_configs() -> None:
    both = ConcatDataset(CHILDREN)
    assert list(leaves(both)) == [both.datasets[0], both.datasets[1].dataset]
    assert list(leaves(CHILDREN[0])) == [CHILDREN[0]]
    config = dict(datasets=[dict(data_root='a'), dict(dataset=dict(data_root='b'))])
    assert list(leaves(config)) == [dict(data_root='a'), dict(data_root='b')]


@pytest.mark.parametrize(
    ('config', 'expected'),
    [
        (dict(data_root='data', data_prefix='train'), 'data/train'),
        (dict(data_root='data/', data_prefix=dict(img_path='train/')), 'data/train/'),
        (dict(data_root='data', data_prefix='/abs'), '/abs'),
        (dict(data_prefix=dict(img_path='train')), 'train'),
        (dict(data_root='data', data_prefix=''), 'data'),
        (dict(data_root='data', data_prefix=dict(other='x')), 'data'),
        (dict(data_root=None), ''),
    ],
)
def test_image_root_of_configs_and_datasets(config: dict, expected: str) -> None:
    assert image_root(config) == expected
    prefix = config.get('data_prefix', '')
    built = BaseDataset(
        data_root=config.get('data_root'),
        data_prefix=prefix if isinstance(prefix, dict) else dict(img_path=prefix),
        lazy_init=True,
    )
    assert image_root(built).rstrip('/') == expected.rstrip('/')


def test_image_problem(tmp_path) -> None:
    import cv2

    path = tmp_path / 'x.png'
    assert 'FileNotFoundError' in str(image_problem(str(path)))
    for content, problem in ((b'', 'the file is empty'), (b'x', 'it cannot be decoded')):
        path.write_bytes(content)
        assert image_problem(str(path)) == problem
    cv2.imwrite(str(path), np.zeros((2, 2, 3), np.uint8))
    assert image_problem(str(path)) is None
