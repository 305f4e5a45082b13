import json
import os
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.dataset import BaseDataset, ConcatDataset, RepeatDataset
from mmengine.registry import DATASETS as ROOT_DATASETS

import bgaug_mm  # noqa: F401  (makes mmselfsup importable)
from bgaug_mm.datasets import SaliencyMaskDataset, saliency_mask_dataset
from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM

LOAD = [dict(type='mmcv.LoadImageFromFile'), dict(type='bgaug_mm.LoadSaliencyMask')]


def _custom(root: Path, library: str = 'mmpretrain', **options) -> dict:
    options = {'data_prefix': 'train', **options}
    return dict(type=f'{library}.CustomDataset', data_root=str(root), **options)


def _wrap(root: Path, inner: dict | None = None, **options) -> SaliencyMaskDataset:
    return SaliencyMaskDataset(_custom(root, **(inner or {})), **{'pipeline': LOAD, **options})


def _columns(sample: dict) -> int:
    """Width of the foreground, which tells the image (see `image_tree`)."""
    return int((sample['gt_seg_map'][0] > 0).sum())


def _ann_file(root: Path, names: list[str]) -> str:
    data = dict(metainfo=dict(classes=['a', 'b']), data_list=[dict(img_path=n) for n in names])
    (root / 'ann.json').write_text(json.dumps(data))
    return 'ann.json'


# -- what is wrapped ------------------------------------------------------------------


def _inner_config(library: str, root: Path) -> dict:
    names = [f'{c}/{i}.png' for c in 'ab' for i in range(3)]
    if library == 'mmengine':
        return dict(
            type='mmengine.BaseDataset',
            ann_file=_ann_file(root, names),
            data_root=str(root),
            data_prefix=dict(img_path='train'),
        )
    if library == 'mmselfsup':
        (root / 'list.txt').write_text('\n'.join(names) + '\n')
        return dict(
            type='mmselfsup.ImageList', ann_file='list.txt', data_root=str(root),
            data_prefix='train/',
        )  # fmt: skip
    return _custom(root, library)


@pytest.mark.parametrize('library', ['mmengine', 'mmselfsup', 'mmcls', 'mmpretrain'])
@pytest.mark.parametrize('serialize', [True, False])
def test_datasets_of_all_libraries(image_tree, library: str, serialize: bool) -> None:
    if library == 'mmengine' and 'BaseDataset' not in ROOT_DATASETS.module_dict:
        ROOT_DATASETS.register_module(name='BaseDataset', module=BaseDataset)
    root = image_tree()
    config = _inner_config(library, root)
    dataset = SaliencyMaskDataset({**config, 'serialize_data': serialize}, pipeline=LOAD)
    assert len(dataset) == 6
    for idx in range(-6, 6):
        sample = dataset[idx]
        assert sample['sample_idx'] == idx % 6
        assert _columns(sample) == 2 * (idx % 3 + 1)
        name = f'{"ab"[idx % 6 // 3]}/{idx % 3}.png'
        assert sample['img_path'] == str(root / 'train' / name)
        assert sample['saliency_mask_path'] == str(root / 'train_masks' / name)
        expected = cv2.imread(str(root / 'train' / name))
        np.testing.assert_array_equal(sample['img'], expected)


@pytest.mark.parametrize('built', [True, False])
def test_concatenated_children_have_masks_and_pipelines_of_their_own(image_tree, built) -> None:
    children = []
    for i, root in enumerate([image_tree('one'), image_tree('two', 'c')]):

        def mark(results: dict, number: int = i) -> dict:
            return {**results, 'child': number}

        children.append(_custom(root, pipeline=[*LOAD, mark]))
    if built:
        inner = ConcatDataset(
            [ROOT_DATASETS.build(child) for child in children], ignore_keys='classes'
        )
    else:
        inner = dict(type='mmengine.ConcatDataset', datasets=children, ignore_keys='classes')
    dataset = SaliencyMaskDataset(inner)
    assert [dataset[i]['child'] for i in range(9)] == [0] * 6 + [1] * 3
    assert [dataset[i]['sample_idx'] for i in range(9)] == list(range(9))
    assert dataset[8]['saliency_mask_path'].endswith('two/train_masks/c/2.png')
    assert [dataset.get_cat_ids(i)[0] for i in range(9)] == [0, 0, 0, 1, 1, 1, 0, 0, 0]


def test_inside_and_around_other_wrappers(image_tree) -> None:
    root = image_tree()
    child = _custom(root, pipeline=LOAD)
    repeated = SaliencyMaskDataset(dict(type='mmengine.RepeatDataset', dataset=child, times=2))
    assert len(repeated) == 12 and repeated[7]['sample_idx'] == 7
    assert _columns(repeated[7]) == 4 and repeated.get_cat_ids(9) == [1]
    balanced = SaliencyMaskDataset(
        dict(type='mmengine.ClassBalancedDataset', dataset=child, oversample_thr=1.0)
    )
    assert len(balanced) == 12 and _columns(balanced[3]) == 4  # each image twice in a row
    folds = SaliencyMaskDataset(
        dict(type='mmpretrain.KFoldDataset', dataset={**child, 'lazy_init': False}, num_splits=3)
    )
    assert [_columns(folds[i]) for i in range(4)] == [6, 2, 4, 6]
    ours = dict(type='bgaug_mm.SaliencyMaskDataset', dataset=child)
    outer = ROOT_DATASETS.build(dict(type='ClassBalancedDataset', dataset=ours, oversample_thr=1.0))
    assert len(outer) == 12 and _columns(outer[2]) == 4
    assert len(RepeatDataset(SaliencyMaskDataset(child), times=3)) == 18
    assert len(ConcatDataset([SaliencyMaskDataset(child), SaliencyMaskDataset(child)])) == 12


def test_one_data_root_moves_images_and_masks(image_tree) -> None:
    for root in (image_tree('one'), image_tree('two')):
        assert _wrap(root)[0]['saliency_mask_path'] == str(root / 'train_masks/a/0.png')
        os.rename(root / 'train_masks', root / 'other')
        assert _wrap(root, mask_root='other')[0]['saliency_mask_path'].startswith(str(root))
        absolute = _wrap(root, mask_root=str(root / 'other'))
        assert absolute[0]['saliency_mask_path'] == str(root / 'other/a/0.png')


def test_lazy_init_metainfo_and_length(image_tree) -> None:
    root = image_tree()
    dataset = _wrap(root, dict(lazy_init=True), lazy_init=True)
    assert not dataset._fully_initialized and not dataset.dataset._fully_initialized
    assert len(dataset) == 6 and dataset.dataset._fully_initialized
    assert dataset.metainfo['classes'] == ('a', 'b')
    assert _wrap(root, lazy_init=True)[2]['sample_idx'] == 2
    with pytest.raises(IndexError, match='index 6 is out of range for 6 samples'):
        dataset[6]


def test_subsets(image_tree) -> None:
    root = image_tree()
    dataset = _wrap(root)
    assert [s['sample_idx'] for s in (dataset.get_subset([4, 1])[i] for i in range(2))] == [0, 1]
    assert _columns(dataset.get_subset([4, 1])[0]) == 4
    assert len(dataset.get_subset(2)) == 2 and len(dataset.get_subset(-2)) == 2
    assert _columns(dataset.get_subset(-2)[1]) == 6
    assert _columns(dataset.get_subset([5, 4, 3]).get_subset([2])[0]) == 2
    assert len(dataset) == 6
    dataset.get_subset_(3)
    assert len(dataset) == 3
    assert len(_wrap(root, indices=4)) == 4
    assert _columns(_wrap(root, indices=[2])[0]) == 6
    assert len(_wrap(root, dict(indices=5))) == 5
    subset = dataset.get_subset(2)
    assert subset.pipeline is not dataset.pipeline and subset.dataset is dataset.dataset


def test_travels_to_workers(image_tree) -> None:
    dataset = pickle.loads(pickle.dumps(_wrap(image_tree())))
    assert _columns(dataset[5]) == 6


def test_the_wrapped_dataset_and_config_are_left_alone(image_tree) -> None:
    config = _custom(image_tree(), pipeline=LOAD)
    before = json.dumps(config)
    dataset = SaliencyMaskDataset(config)
    dataset[0]
    assert json.dumps(config) == before
    assert 'saliency_mask_path' not in dataset.dataset.get_data_info(0)


# -- missing and bad masks ------------------------------------------------------------


@pytest.fixture
def log(monkeypatch) -> list[str]:
    messages: list[str] = []

    def record(text: str, **_: object) -> None:
        messages.append(text)

    monkeypatch.setattr('bgaug_mm.datasets.mask_selection.print_log', record)
    monkeypatch.setattr(saliency_mask_dataset, 'print_log', record)
    return messages


def test_missing_masks(image_tree, log) -> None:
    root = image_tree()
    for name in ('a/1.png', 'b/0.png'):
        (root / 'train_masks' / name).unlink()
    with pytest.raises(ValueError, match=(
        r"2 of 6 images have no saliency mask, first of all '.*train/a/1.png', mask "
        r"'.*train_masks/a/1.png': it does not exist.*train_masks'.*`on_missing_mask` to"
    )):  # fmt: skip
        _wrap(root)
    assert log == []
    skipped = _wrap(root, on_missing_mask='skip')
    assert [_columns(skipped[i]) for i in range(4)] == [2, 6, 4, 6]
    assert [skipped[i]['sample_idx'] for i in range(4)] == [0, 1, 2, 3]
    assert len(log) == 1
    assert log[0].startswith('2 of 6 images have no saliency mask -> skip: ') and 'a/1' in log[0]
    kept = _wrap(root, on_missing_mask='no_background_op')
    assert len(kept) == 6 and kept[1]['saliency_mask_path'] is None
    assert (kept[1]['gt_seg_map'] == 255).all() and _columns(kept[2]) == 6
    assert kept.get_subset([1])[0]['saliency_mask_path'] is None


@pytest.mark.parametrize('option', ['error', 'skip', 'no_background_op'])
@pytest.mark.parametrize('check', ['exists', 'none'])
def test_no_masks_at_all(image_tree, option: str, check: str) -> None:
    root = image_tree()
    os.rename(root / 'train_masks', root / 'elsewhere')
    with pytest.raises(ValueError, match=(
        r"(looked in|folder of saliency masks) '.*train_masks'.*mask_root"
    )) as caught:  # fmt: skip
        _wrap(root, on_missing_mask=option, check=check)
    if check == 'exists':
        assert '(there is no such folder)' in str(caught.value)
        assert f"expected '{root}/train_masks/a/0.png'" in str(caught.value)
    with pytest.raises(ValueError, match='no image has a saliency mask'):
        _wrap(root, mask_root='elsewhere', mask_suffix='.jpg')


def test_without_a_check_the_transform_decides(image_tree) -> None:
    root = image_tree()
    (root / 'train_masks/a/1.png').unlink()
    dataset = _wrap(root, check='none')
    with pytest.raises(ValueError, match=r"saliency mask '.*a/1.png' of image '.*does not exist"):
        dataset[1]
    kept = _wrap(root, check='none', on_missing_mask='no_background_op')
    assert (kept[1]['gt_seg_map'] == 255).all()
    assert _wrap(root, check='none', on_missing_mask='skip')[1]['sample_idx'] != 1


def _spoil(root: Path, kind: str) -> None:
    mask = root / 'train_masks/a/1.png'
    if kind == 'size':
        cv2.imwrite(str(mask), np.zeros((20, 29), np.uint8))
    elif kind == '16 bit':
        cv2.imwrite(str(mask), np.zeros((20, 30), np.uint16))
    elif kind == 'alpha':
        cv2.imwrite(str(mask), np.zeros((20, 30, 4), np.uint8))
    else:
        mask.write_text('no mask')


@pytest.mark.parametrize('kind', ['size', '16 bit', 'alpha', 'text'])
def test_bad_masks_are_found_in_the_headers(image_tree, log, kind: str) -> None:
    root = image_tree()
    _spoil(root, kind)
    assert len(_wrap(root)) == 6  # by default only the names are looked at …
    with pytest.raises(ValueError, match=r"saliency mask '.*a/1.png' of image '.*train/a/1.png'"):
        _wrap(root, on_bad_mask='error')[1]  # … and the transform finds it
    assert (_wrap(root)[1]['gt_seg_map'] == 255).all()  # which by default stops no epoch
    with pytest.raises(ValueError, match=r"1 of 6 images have a bad saliency mask.*a/1.png'.*"
                                         r'`on_bad_mask`'):  # fmt: skip
        _wrap(root, check='header')
    assert len(_wrap(root, check='header', on_bad_mask='skip')) == 5
    kept = _wrap(root, check='header', on_bad_mask='no_background_op')
    assert kept[1]['saliency_mask_path'] is None
    assert len(log) == 2


@pytest.mark.parametrize('check', ['none', 'exists'])
@pytest.mark.parametrize('action', [None, 'no_background_op', 'skip'])
def test_masks_that_are_all_bad_are_an_error_before_training(image_tree, check, action) -> None:
    root = image_tree()
    for mask in root.rglob('*_masks/*/*.png'):
        cv2.imwrite(str(mask), np.ones((20, 30), np.uint8))  # 0 and 1
    with pytest.raises(ValueError, match=r'none of the 6 masks looked at.*a/0.png.*0 and 1'):
        _wrap(root, check=check, on_bad_mask=action)


def test_two_images_with_one_mask(image_tree) -> None:
    root = image_tree(classes='a')
    cv2.imwrite(str(root / 'train/a/1.jpg'), np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(ValueError, match=r"it is the mask of image '.*1.jpg' as well"):
        _wrap(root)
    assert len(_wrap(root, on_bad_mask='skip')) == 3


def test_name_rule_and_list_file(image_tree) -> None:
    root = image_tree()
    os.rename(root / 'train_masks', root / 'masks')
    rows = [f'{c}/{i}.png {c}/{2 - i}.png' for c in 'ab' for i in range(3)]
    (root / 'list.txt').write_text('\n'.join(rows))
    listed = _wrap(root, mask_root='masks', list_file='list.txt')
    assert [_columns(listed[i]) for i in range(3)] == [6, 4, 2]
    ruled = _wrap(root, mask_root='masks', name_rule='{dir}/{stem}{ext}')
    assert _columns(ruled[2]) == 6
    (root / 'list.txt').write_text('\n'.join(rows[:-1]))
    for check in ('exists', 'none'):
        with pytest.raises(ValueError, match='1 of 6 .* the list file does not name it'):
            _wrap(root, mask_root='masks', list_file='list.txt', check=check)
    (root / 'list.txt').write_text('x.jpg x.png')
    with pytest.raises(ValueError, match=r"list.txt' names none of the images, e.g. not 'a/0.png'"):
        _wrap(root, mask_root='masks', list_file='list.txt')


# -- foreground share -----------------------------------------------------------------


def test_share_limits_and_statistics(image_tree, log) -> None:
    root = image_tree()
    dataset = _wrap(root, min_foreground=0.1, max_foreground=0.15)
    assert [_columns(dataset[i]) for i in range(2)] == [4, 4]  # shares 2/30, 4/30, 6/30
    assert len(dataset) == 2 and '4 of 6 images are left out' in log[0]
    assert (root / 'train_masks.foreground_share.csv').is_file()
    statistics = _wrap(root).foreground_share_statistics()
    assert statistics['count'] == 6 and statistics['unreadable'] == 0
    assert statistics['mean'] == pytest.approx(4 / 30)
    assert statistics['min'] == pytest.approx(2 / 30)
    assert statistics['median'] == pytest.approx(4 / 30)
    assert len(_wrap(root, min_foreground=0.0)) == 6
    with pytest.raises(ValueError, match='none of the 6 images is left'):
        _wrap(root, min_foreground=0.9)


def test_shares_of_concatenated_datasets_and_a_given_file(image_tree, tmp_path) -> None:
    children = [_custom(image_tree('one')), _custom(image_tree('two'))]
    inner = dict(type='mmengine.ConcatDataset', datasets=children)
    file = str(tmp_path / 'cache' / 'shares.csv')
    assert len(SaliencyMaskDataset(inner, min_foreground=0.1, share_file=file)) == 8
    assert Path(file).read_text().count('two/train_masks') == 6
    assert len(SaliencyMaskDataset(inner, min_foreground=0.1)) == 8
    assert (tmp_path / 'two/train_masks.foreground_share.csv').is_file()


# -- broken images, missing data ------------------------------------------------------


@pytest.mark.parametrize('kind', ['text', 'empty', 'missing', 'cut'])
@pytest.mark.parametrize('pipeline', [LOAD, None])
def test_a_broken_image(image_tree, log, kind: str, pipeline) -> None:
    root = image_tree()
    config = dict(pipeline=[] if pipeline else LOAD)
    options = dict(pipeline=pipeline)
    error = _wrap(root, config, **options)
    skip = _wrap(root, config, on_bad_image='skip', **options)
    image = root / 'train/a/1.png'
    if kind == 'missing':
        image.unlink()
    else:
        image.write_bytes({'text': b'no image', 'empty': b'', 'cut': image.read_bytes()[:40]}[kind])
    with pytest.raises(ValueError, match=rf"image '{image}' cannot be used: .*on_bad_image") as e:
        error[1]
    assert e.value.__cause__ is not None
    for _ in range(3):
        assert skip[1]['sample_idx'] != 1
    assert len(log) == 1 and str(image) in log[0]


def test_errors_of_the_pipeline_pass_through(image_tree) -> None:
    def fail(results: dict) -> dict:
        raise KeyError('my own')

    with pytest.raises(KeyError, match='my own'):
        _wrap(image_tree(), pipeline=[fail])[0]


def test_skipped_samples_cannot_name_each_other_for_ever(image_tree, stream) -> None:
    # with SeedSample the number drawn after a sample is always the same
    SAMPLE_STREAM.set(seed=0, epoch=0)
    root = image_tree(count=20, classes='a')

    def only_the_last(results: dict) -> dict | None:
        return results if results['sample_idx'] == 19 else None

    dataset = _wrap(root, pipeline=[dict(type='bgaug_mm.SeedSample'), only_the_last])
    assert [dataset[i]['sample_idx'] for i in range(20)] == [19] * 20
    dataset.max_refetch = 3
    dataset.pipeline.transforms.append(lambda results: None)
    with pytest.raises(ValueError, match='no usable sample found in 3 tries'):
        dataset[0]


def test_test_mode_skips_nothing(image_tree) -> None:
    dataset = _wrap(image_tree(), dict(test_mode=True), pipeline=[lambda results: None])
    with pytest.raises(ValueError, match='sample 2 cannot be used, and in test mode'):
        dataset[2]


@pytest.mark.parametrize('library', ['mmcls', 'mmpretrain'])
@pytest.mark.parametrize('lazy', [True, False])
def test_no_data_folder(tmp_path, library: str, lazy: bool) -> None:
    config = _custom(tmp_path / 'nowhere', library, lazy_init=lazy)
    with pytest.raises(ValueError, match=(
        rf"cannot be loaded from '{tmp_path}/nowhere/train' \(there is no such folder\): "
        r'FileNotFoundError.*Check `data_root`'
    )):  # fmt: skip
        SaliencyMaskDataset(config)


@pytest.mark.parametrize('library', ['mmcls', 'mmpretrain'])
def test_wrong_layout_and_missing_annotation(image_tree, tmp_path, library: str) -> None:
    root = image_tree()
    (tmp_path / 'flat/train').mkdir(parents=True)
    (root / 'train/a/0.png').rename(tmp_path / 'flat/train/0.png')
    with pytest.raises(ValueError, match=r"cannot be loaded from '.*flat/train': .*laid out"):
        SaliencyMaskDataset(_custom(tmp_path / 'flat', library))
    with pytest.raises(ValueError, match=r"loaded from '.*data/train': FileNotFoundError.*no.txt"):
        SaliencyMaskDataset(_custom(root, library, ann_file='no.txt'))


def test_a_dataset_without_image_files() -> None:
    class Arrays(BaseDataset):
        def load_data_list(self) -> list[dict]:
            return [dict(img=np.zeros((2, 2, 3)), gt_label=0)]

    with pytest.raises(ValueError, match=r'samples of `Arrays` have no `img_path`, only'):
        SaliencyMaskDataset(Arrays(), mask_root='masks')
    with pytest.raises(ValueError, match='`dataset` must be a config or a dataset with'):
        SaliencyMaskDataset([1, 2])


def test_an_unknown_option_of_the_wrapped_dataset_stays_a_type_error(image_tree) -> None:
    with pytest.raises(TypeError, match='no_such_option'):
        SaliencyMaskDataset(_custom(image_tree(), no_such_option=1))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(on_missing_mask='x'), "`on_missing_mask` must be one of .* but got 'x'"),
        (dict(on_bad_mask='x'), '`on_bad_mask` must be one of'),
        (dict(on_bad_image='no_background_op'), '`on_bad_image` must be one of'),
        (dict(check='x'), '`check` must be one of'),
        (dict(min_foreground=1.3), r'`min_foreground` must be None or in \[0, 1\], but got 1.3'),
        (dict(name_rule='{x}'), '`name_rule` must be made of'),
    ],
)
def test_bad_options(image_tree, options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        _wrap(image_tree(), **options)
