import cv2
import numpy as np
import pytest

from bgaug_mm.datasets.transforms import MultiView

IMAGE = np.arange(4 * 6 * 3, dtype=np.uint8).reshape(4, 6, 3)
MASK = np.arange(24, dtype=np.uint8).reshape(4, 6)


def _results(**more) -> dict:
    return {'img': IMAGE.copy(), 'gt_seg_map': MASK.copy(), **more}


def _add(value: int):
    def transform(results: dict) -> dict:
        results['img'] = results['img'] + np.uint8(value)
        return results

    return transform


def test_views_are_collected_in_order() -> None:
    results = MultiView([[_add(1)], [_add(2), _add(10)]], [1, 2])(_results())
    for view, value in zip(results['img'], (1, 12, 12), strict=True):
        np.testing.assert_array_equal(view, IMAGE + np.uint8(value))
    for view in results['gt_seg_map']:
        np.testing.assert_array_equal(view, MASK)
    assert 'crop_bbox' not in results


def test_an_int_means_one_pipeline() -> None:
    assert len(MultiView([[_add(1)]], 3)(_results())['img']) == 3


def test_nested_configs_are_built() -> None:
    view = [dict(type='mmcv.RandomFlip', prob=1.0)]
    results = MultiView([view, []], [1, 1])(_results())
    np.testing.assert_array_equal(results['img'][0], IMAGE[:, ::-1])
    np.testing.assert_array_equal(results['gt_seg_map'][0], MASK[:, ::-1])
    np.testing.assert_array_equal(results['img'][1], IMAGE)
    assert results['flip'] == [True, None]


def test_what_was_drawn_is_collected() -> None:
    def draw(results: dict) -> dict:
        return {**results, 'background_op': 'X', 'background_params': 'grey 7'}

    results = MultiView([[draw], []], [1, 1])(_results())
    assert results['background_op'] == ['X', None]
    assert results['background_params'] == ['grey 7', None]


def test_a_key_that_one_view_lacks() -> None:
    def box(results: dict) -> dict:
        return {**results, 'crop_bbox': (0, 0, 1, 1)}

    assert MultiView([[box], []], [1, 1])(_results())['crop_bbox'] == [(0, 0, 1, 1), None]


def test_other_keys_stay_the_same_objects() -> None:
    others = {'path': 'x.jpg', 'object': object(), 'array': np.zeros(3), 'list': [np.zeros(2)]}

    def spoil(results: dict) -> dict:
        results['list'].append(1)
        results['path'] = 'other'
        results['new'] = 1
        return results

    results = MultiView([[spoil]], 2)(_results(**others))
    for key, value in others.items():
        assert results[key] is value
    assert len(others['list']) == 1
    assert set(results) == {'img', 'gt_seg_map', *others}


@pytest.mark.parametrize('copy_arrays', [False, True])
def test_views_own_their_memory(copy_arrays: bool) -> None:
    original = _results()
    inputs = [original['img'], original['gt_seg_map']]

    def flip(results: dict) -> dict:
        results['img'] = results['img'][:, ::-1]
        return results

    results = MultiView([[], [flip]], [2, 1], copy_arrays=copy_arrays)(original)
    views = [*results['img'], *results['gt_seg_map']]
    for i, view in enumerate(views):
        assert view.flags.writeable
        assert not any(np.shares_memory(view, other) for other in [*inputs, *views[:i]])
    np.testing.assert_array_equal(inputs[0], IMAGE)


def _write_numpy(results: dict) -> dict:
    results['img'] += 1
    return results


def _write_opencv(results: dict) -> dict:
    cv2.rectangle(results['img'], (0, 0), (2, 2), (0, 0, 0), -1)
    return results


def _write_nested(results: dict) -> dict:
    results['nested'][0]['array'][0] = 1
    return results


@pytest.mark.parametrize('write', [_write_numpy, _write_opencv, _write_nested])
def test_a_transform_that_writes_in_place_is_named(write) -> None:
    results = _results(nested=[{'array': np.zeros(2)}])
    with pytest.raises(ValueError, match=r'`function` in view 1 writes .* `copy_arrays=True`'):
        MultiView([[], [write]], [1, 1])(results)
    np.testing.assert_array_equal(results['img'], IMAGE)
    done = MultiView([[write], []], [1, 1], copy_arrays=True)(results)
    np.testing.assert_array_equal(done['img'][1], IMAGE)


def test_other_errors_pass_through() -> None:
    def fail(results: dict) -> dict:
        raise ValueError('another one')

    with pytest.raises(ValueError, match='^another one$'):
        MultiView([[fail]], 1)(_results())


def test_none_and_a_lost_image() -> None:
    assert MultiView([[lambda results: None]], 1)(_results()) is None
    with pytest.raises(ValueError, match='view 0 has no `img` left'):
        MultiView([[lambda results: {'x': 1}]], 1)(_results())


@pytest.mark.parametrize(
    ('transforms', 'num_views'), [([[]], [1, 1]), ([[], []], 2), ([[]], 0), ([], [])]
)
def test_bad_counts(transforms, num_views) -> None:
    with pytest.raises(ValueError, match=f'`num_views` must hold .* but got .* {len(transforms)} '):
        MultiView(transforms, num_views)


@pytest.mark.parametrize('collect', ['img', ('gt_seg_map',)])
def test_bad_collect(collect) -> None:
    with pytest.raises(ValueError, match='`collect` must be keys'):
        MultiView([[]], 1, collect=collect)
