import numpy as np
import pytest
import torch
from mmengine.structures import BaseDataElement

from bgaug_mm.datasets.transforms import PackSaliencyInputs

VIEWS = [np.random.default_rng(i).integers(0, 256, (4, 6, 3), np.uint8) for i in range(2)]
MASKS = [np.random.default_rng(9 + i).integers(0, 256, (4, 6), np.uint8) for i in range(2)]


def test_views() -> None:
    packed = PackSaliencyInputs()({'img': VIEWS, 'img_path': 'x.jpg', 'other': 1})
    assert set(packed) == {'inputs', 'data_samples'}
    for tensor, view in zip(packed['inputs'], VIEWS, strict=True):
        assert tensor.dtype == torch.uint8 and tensor.is_contiguous()
        np.testing.assert_array_equal(tensor.numpy(), view.transpose(2, 0, 1))
    assert type(packed['data_samples']) is BaseDataElement
    assert packed['data_samples'].metainfo == {'img_path': 'x.jpg'}


def test_masks_as_fourth_channel() -> None:
    pack = PackSaliencyInputs(with_mask=True, meta_keys=())
    packed = pack({'img': VIEWS, 'gt_seg_map': MASKS})
    for tensor, view, mask in zip(packed['inputs'], VIEWS, MASKS, strict=True):
        assert tensor.shape == (4, 4, 6) and tensor.dtype == torch.uint8
        assert tensor.is_contiguous()
        np.testing.assert_array_equal(tensor[:3].numpy(), view.transpose(2, 0, 1))
        np.testing.assert_array_equal(tensor[3].numpy(), mask)


def test_block_masks_come_last_where_a_view_has_one() -> None:
    blocks = [np.eye(4, 6, dtype=np.uint8), None]
    results = {'img': VIEWS, 'gt_seg_map': MASKS, 'block_mask': blocks}
    pack = PackSaliencyInputs(with_mask=True, with_block_mask=True, meta_keys=())
    first, second = pack(results)['inputs']
    assert first.shape == (5, 4, 6) and second.shape == (4, 4, 6)
    for tensor, view, mask in zip((first, second), VIEWS, MASKS, strict=True):
        np.testing.assert_array_equal(tensor[:3].numpy(), view.transpose(2, 0, 1))
        np.testing.assert_array_equal(tensor[3].numpy(), mask)
    np.testing.assert_array_equal(first[4].numpy(), blocks[0])
    first, second = PackSaliencyInputs(with_block_mask=True, meta_keys=())(results)['inputs']
    assert first.shape == (4, 4, 6) and second.shape == (3, 4, 6)
    np.testing.assert_array_equal(first[3].numpy(), blocks[0])
    with pytest.raises(ValueError, match=r"\['block_mask'\] is missing"):
        pack({'img': VIEWS, 'gt_seg_map': MASKS})
    with pytest.raises(ValueError, match=r'`block_mask` must be \(4, 6\) uint8 like its view'):
        pack(dict(results, block_mask=[np.eye(3, dtype=np.uint8), None]))


def test_one_view_read_only_and_flipped() -> None:
    view, mask = VIEWS[0][:, ::-1], MASKS[0][:, ::-1]
    view.flags.writeable = mask.flags.writeable = False
    results = {'img': view, 'gt_seg_map': mask}
    (tensor,) = PackSaliencyInputs(with_mask=True, meta_keys=())(results)['inputs']
    np.testing.assert_array_equal(tensor[:3].numpy(), view.transpose(2, 0, 1))
    tensor += 1  # memory of its own
    np.testing.assert_array_equal(view, VIEWS[0][:, ::-1])
    assert results['img'] is view


@pytest.mark.parametrize(
    ('results', 'message'),
    [
        ({'img': VIEWS, 'img_path': ''}, r"\['gt_seg_map'\] is missing"),
        ({'img': VIEWS, 'gt_seg_map': MASKS}, r"\['img_path'\] is missing"),
        ({'img': VIEWS, 'gt_seg_map': MASKS[:1], 'img_path': ''}, '2 views in `img` but 1'),
        ({'img': MASKS, 'gt_seg_map': MASKS, 'img_path': ''}, r'must be \(H, W, 3\) uint8'),
        (
            {'img': [VIEWS[0] / 2], 'gt_seg_map': MASKS[:1], 'img_path': ''},
            r'must be \(H, W, 3\) uint8 in every view, but got \(4, 6, 3\) float64',
        ),
        ({'img': VIEWS, 'gt_seg_map': [m.T for m in MASKS], 'img_path': ''}, 'like its view'),
    ],
)
def test_what_does_not_fit(results: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        PackSaliencyInputs(with_mask=True)(results)
