import copy
import json
import pickle
from pathlib import Path

import cv2
import numpy as np
import pytest
from mmengine.dataset import BaseDataset, pseudo_collate
from torch.utils.data import DataLoader

from bgaug_mm.datasets import SaliencyMaskDataset
from bgaug_mm.datasets.backgrounds import DonorBackground, donor

HEIGHT, WIDTH = 64, 96
VIEW, VIEW_MASK = np.zeros((32, 32, 3), np.uint8), np.zeros((32, 32), np.uint8)


def _images(root: Path) -> BaseDataset:
    """All images of the folder ``train``."""
    data_list = [dict(img_path=path.name) for path in sorted((root / 'train').iterdir())]
    (root / 'ann.json').write_text(json.dumps(dict(metainfo={}, data_list=data_list)))
    return BaseDataset('ann.json', data_root=str(root), data_prefix=dict(img_path='train'))


def _write(root, index: int, background: int, columns=(10, 40), ending='png') -> None:
    """An image of one colour with a white object that spans some columns."""
    image = np.full((HEIGHT, WIDTH, 3), background, np.uint8)
    mask = np.zeros((HEIGHT, WIDTH), np.uint8)
    image[:, slice(*columns)] = 255
    mask[:, slice(*columns)] = 255
    for folder, array, end in (('train', image, ending), ('train_masks', mask, 'png')):
        (root / folder).mkdir(exist_ok=True)
        cv2.imwrite(str(root / folder / f'{index:02d}.{end}'), array)


def _dataset(root, source: DonorBackground | None = None, pipeline=None, **options):
    source = source or DonorBackground()
    pipeline = pipeline or [
        dict(type='mmcv.LoadImageFromFile'),
        dict(type='bgaug_mm.LoadSaliencyMask'),
        dict(type='bgaug_mm.BackgroundSwap', prob=1.0, background=source),
    ]
    dataset = SaliencyMaskDataset(_images(root), pipeline=pipeline, **options)
    return dataset, source


@pytest.fixture
def log(monkeypatch):
    said = []
    monkeypatch.setattr(donor, 'print_log', lambda text, **options: said.append(text))
    return said


def _levels(source: DonorBackground, idx: int | None, count: int = 60) -> set[int]:
    """All values of the backgrounds a sample may get; -1 for none."""
    values: set[int] = set()
    for _ in range(count):
        picture = source.render(source.draw(VIEW, VIEW_MASK, idx), 32, 32)
        values.update([-1] if picture is None else np.unique(picture).tolist())
    return values


@pytest.mark.parametrize('infill', ['tile_strip', 'tile_rectangle', 'inpaint', 'mean'])
def test_gives_backgrounds_of_other_images_without_their_foreground(tmp_path, infill) -> None:
    for i in range(4):
        _write(tmp_path, i, 10 * i)
    dataset, source = _dataset(tmp_path, DonorBackground(infill=infill))
    np.random.seed(0)
    assert _levels(source, 0) == {10, 20, 30}
    assert _levels(source, 2) == {0, 10, 30}
    assert _levels(source, None) == {0, 10, 20, 30}
    sample = dataset[1]
    assert (sample['img'][:, 10:40] == 255).all()
    assert len(np.unique(sample['img'])) == 2 and 10 not in sample['img']
    index = int(sample['img'][0, 0, 0]) // 10
    assert sample['background_params'].startswith(f'DonorBackground donor {index}, crop ')


def test_all_others_are_equally_likely(tmp_path) -> None:
    for i in range(4):
        _write(tmp_path, i, 10 * i)
    source = _dataset(tmp_path)[1]
    np.random.seed(0)
    drawn = [source.draw(VIEW, VIEW_MASK, 1).indices for _ in range(800)]
    counts = np.bincount(np.ravel(drawn), minlength=4)
    assert counts[1] == 0 and np.abs(counts[[0, 2, 3]] - 4000 / 3).max() < 130
    assert len(drawn[0]) == 5


def test_the_same_parameters_give_the_same_picture(tmp_path) -> None:
    rng = np.random.default_rng(0)
    for i in range(3):
        _write(tmp_path, i, 0)
        cv2.imwrite(
            str(tmp_path / f'train/{i:02d}.png'), rng.integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
        )
    source = _dataset(tmp_path)[1]
    pictures = []
    for seed in (0, 0, 1):
        np.random.seed(seed)
        pictures.append(source.render(source.draw(VIEW, VIEW_MASK, 0), 32, 32))
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert (pictures[0] != pictures[2]).any()


def test_an_image_is_not_its_own_donor_when_it_is_repeated(tmp_path) -> None:
    for i in range(2):
        _write(tmp_path, i, 10 * i)
    repeated = dict(type='mmengine.RepeatDataset', dataset=_images(tmp_path), times=2)
    source = DonorBackground()
    swap = dict(type='bgaug_mm.BackgroundSwap', background=source)
    SaliencyMaskDataset(repeated, pipeline=[swap])
    np.random.seed(0)
    # all five draws fall on the image itself now and then: then there is none
    assert _levels(source, 2, 100) <= {-1, 10}
    assert _levels(source, 3, 100) <= {-1, 0}


def test_a_single_image_has_no_donor(tmp_path) -> None:
    _write(tmp_path, 0, 10)
    dataset, source = _dataset(tmp_path)
    assert source.draw(VIEW, VIEW_MASK, 0) is None
    assert dataset[0]['background_op'] is None


def _spoil(root, kind: str) -> None:
    image, mask = root / 'train/00.png', root / 'train_masks/00.png'
    if kind == 'broken image':
        image.write_bytes(image.read_bytes()[:20])
    elif kind == 'empty image':
        image.write_bytes(b'')
    elif kind == 'removed image':
        image.unlink()
    elif kind == 'broken mask':
        mask.write_bytes(mask.read_bytes()[:20])
    elif kind == 'removed mask':
        mask.unlink()
    elif kind == 'mask of another size':
        cv2.imwrite(str(mask), np.zeros((HEIGHT, WIDTH + 9), np.uint8))
    elif kind == '16-bit mask':
        cv2.imwrite(str(mask), np.zeros((HEIGHT, WIDTH), np.uint16))
    elif kind == 'full mask':
        cv2.imwrite(str(mask), np.full((HEIGHT, WIDTH), 255, np.uint8))


KINDS = [
    'broken image', 'empty image', 'removed image', 'broken mask', 'removed mask',
    'mask of another size', '16-bit mask', 'full mask',
]  # fmt: skip


@pytest.mark.parametrize('kind', KINDS)
def test_an_unusable_donor_is_passed_over_and_logged_once(tmp_path, log, kind: str) -> None:
    for i in range(3):
        _write(tmp_path, i, 10 * i)
    source = _dataset(tmp_path)[1]
    _spoil(tmp_path, kind)
    np.random.seed(0)
    assert _levels(source, 2) <= {-1, 10}
    assert _levels(source, 1) <= {-1, 20}
    (message,) = log
    assert '00.png' in message and 'another one is taken' in message
    text = source.describe(source.draw(VIEW, VIEW_MASK, 2))
    assert 'donor 1,' in text or 'donor None,' in text


@pytest.mark.parametrize('kind', KINDS)
def test_no_donor_serves(tmp_path, log, kind: str) -> None:
    for i in range(2):
        _write(tmp_path, i, 10 * i)
    dataset = _dataset(tmp_path)[0]
    _spoil(tmp_path, kind)
    for _ in range(2):
        sample = dataset[1]
        assert sample['background_op'] is None and sample['background_params'] is None
        assert set(np.unique(sample['img'])) == {10, 255}
    assert len(log) == 1


def test_images_without_background_are_logged_once_in_all(tmp_path, log) -> None:
    for i in range(8):
        _write(tmp_path, i, 10 * i, columns=(1, WIDTH))
    source = _dataset(tmp_path)[1]
    assert _levels(source, 0) == {-1}
    assert len(log) == 1 and 'later ones are not logged' in log[0]


def test_images_without_a_mask_have_no_background(tmp_path, log) -> None:
    for i in range(3):
        _write(tmp_path, i, 10 * i)
    (tmp_path / 'train_masks/00.png').unlink()
    source = _dataset(tmp_path, on_missing_mask='no_background_op')[1]
    np.random.seed(0)
    assert _levels(source, 2) <= {-1, 10}


def test_a_mask_of_another_size_on_request(tmp_path, log) -> None:
    for i in range(2):
        _write(tmp_path, i, 10 * i)
    mask = cv2.imread(str(tmp_path / 'train_masks/00.png'), cv2.IMREAD_UNCHANGED)
    cv2.imwrite(str(tmp_path / 'train_masks/00.png'), cv2.resize(mask, (WIDTH // 2, HEIGHT // 2)))
    source = _dataset(tmp_path, DonorBackground(resize_to_image=True))[1]
    assert _levels(source, 1) == {0} and not log


@pytest.mark.parametrize('ending', ['jpg', 'png'])
@pytest.mark.parametrize('size', [8, 10, 17, 33, 64, 200])
def test_is_decoded_at_a_size_that_is_enough(tmp_path, monkeypatch, ending: str, size: int) -> None:
    for i in range(2):
        _write(tmp_path, i, 100, ending=ending)
    sizes = []

    def cut(image, window, height, width):
        sizes.append(image.shape)
        return image[:1, :1]

    monkeypatch.setattr(donor, 'cut_window', cut)
    source = _dataset(tmp_path, DonorBackground(scale=(1, 1)))[1]
    source.render(source.draw(VIEW, VIEW_MASK, 0), size, size)
    (shape,) = sizes
    factor = max(f for f in (1, 2, 4, 8) if f * size <= HEIGHT or f == 1)
    assert shape == (HEIGHT // factor, WIDTH // factor, 3)


def test_exif_orientation_of_a_reduced_jpeg(tmp_path) -> None:
    from PIL import Image

    for i in range(2):
        _write(tmp_path, i, 100, ending='jpg')
        path = tmp_path / f'train/{i:02d}.jpg'
        exif = Image.Exif()
        exif[0x0112] = 6  # lies on its side
        picture = cv2.rotate(cv2.imread(str(path)), cv2.ROTATE_90_COUNTERCLOCKWISE)
        Image.fromarray(picture).save(path, exif=exif, quality=95)
    source = _dataset(tmp_path)[1]
    picture = source.render(source.draw(VIEW, VIEW_MASK, 0), 16, 16)
    assert np.abs(picture.astype(int) - 100).max() < 12


def test_a_subset_takes_donors_of_its_own(tmp_path) -> None:
    for i in range(4):
        _write(tmp_path, i, 10 * i)
    dataset, source = _dataset(tmp_path)
    subset = dataset.get_subset([0, 3])
    inner = subset.pipeline.transforms[2].background
    assert inner is not source and inner._dataset is subset and source._dataset is dataset
    assert _levels(inner, 0) == {30}
    assert _levels(source, 0) == {10, 20, 30}


def test_a_deep_copy_stays_whole(tmp_path) -> None:
    for i in range(3):
        _write(tmp_path, i, 10 * i)
    dataset, source = _dataset(tmp_path)
    copied = copy.deepcopy(dataset)
    assert copied.pipeline.transforms[2].background._dataset is copied
    alone = copy.deepcopy(source)
    assert alone._dataset is dataset and alone is not source


def test_pickling_the_dataset_does_not_double_it(tmp_path) -> None:
    for i in range(3):
        _write(tmp_path, i, 10 * i)
    dataset, source = _dataset(tmp_path)
    bound = len(pickle.dumps(dataset))
    source.bind(None)
    assert bound - len(pickle.dumps(dataset)) < 50
    source.bind(dataset)
    received = pickle.loads(pickle.dumps(dataset))
    assert received.pipeline.transforms[2].background._dataset is received


@pytest.mark.parametrize('start', ['fork', 'spawn'])
def test_in_workers(tmp_path, start: str) -> None:
    for i in range(4):
        _write(tmp_path, i, 10 * i)
    pipeline = [
        dict(type='mmcv.LoadImageFromFile'),
        dict(type='bgaug_mm.LoadSaliencyMask'),
        dict(type='bgaug_mm.BackgroundSwap', prob=1.0, background=DonorBackground()),
    ]
    dataset = _dataset(tmp_path, pipeline=pipeline)[0]
    loader = DataLoader(
        dataset, batch_size=2, num_workers=1, collate_fn=pseudo_collate,
        multiprocessing_context=start,
    )  # fmt: skip
    for batch in loader:
        for index, image in zip(batch['sample_idx'], batch['img'], strict=True):
            assert int(image[0, 0, 0]) in {0, 10, 20, 30} - {10 * index}


def test_unbound() -> None:
    with pytest.raises(ValueError, match='has no dataset .*bgaug_mm.SaliencyMaskDataset'):
        DonorBackground().draw(VIEW, VIEW_MASK, 0)


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(infill='x'), "`infill` must be one of .* but got 'x'"),
        (dict(scale=(0, 1)), '`scale` must be'),
        (dict(flip_prob=2), r'`flip_prob` must be in \[0, 1\], but got 2'),
        (dict(threshold=0), r'`threshold` must be in \[1, 255\], but got 0'),
        (dict(min_strip=2), r'`min_strip` must be in \[0, 1\], but got 2'),
        (dict(max_tries=0), '`max_tries` must be at least 1, but got 0'),
    ],
)
def test_bad_options(options: dict, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DonorBackground(**options)
