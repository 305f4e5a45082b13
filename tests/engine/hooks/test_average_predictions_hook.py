"""AveragePredictionsHook with a model that predicts by the epoch, alone and in a runner."""

from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from mmengine.model import BaseModel
from mmengine.runner import Runner

from bgaug_mm.datasets import SaliencyMaskDataset
from bgaug_mm.engine.hooks import AveragePredictionsHook

VALUES = [0.2, 0.8, 0.4]  # predictions of the epochs


class Folder:
    """Images of a folder, as SaliencyMaskDataset wants a dataset."""

    metainfo: dict = {}

    def __init__(self, root: Path) -> None:
        self.data_prefix = str(root)
        self.paths = sorted(str(path) for path in root.rglob('*.png'))
        self.pipeline = None

    def full_init(self) -> None:
        pass

    def __len__(self) -> int:
        return len(self.paths)

    def get_data_info(self, idx: int) -> dict:
        return {'img_path': self.paths[idx]}


class ByEpoch(BaseModel):
    """Predicts the epoch's value, times the image's blue over 200."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.runner = None
        self.modes: list[bool] = []

    def forward(self, inputs, mode='loss', **_):
        return dict(loss=self.weight * 1.0)

    def train_step(self, data, optim_wrapper):
        return {'loss': torch.zeros(())}

    def predict(self, images):
        self.modes.append(self.training)
        return images[:, 0].float() / 200 * VALUES[self.runner.epoch]


@pytest.fixture
def data(tmp_path):
    blues = {'a/x.png': 200, 'a/y.png': 100, 'z.png': 50}
    for name, blue in blues.items():
        image = np.zeros((6, 10, 3), np.uint8)
        image[..., 0] = blue
        for path, array in ((f'images/{name}', image), (f'masks/{name}', image[..., 0])):
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            assert cv2.imwrite(str(tmp_path / path), array)
    return tmp_path, list(blues.values())


def make_runner(root: Path, epochs: int, *, resume: bool = False, **options) -> Runner:
    dataset = SaliencyMaskDataset(
        Folder(root / 'images'), str(root / 'masks'), pipeline=[lambda info: torch.zeros(1)]
    )
    model = ByEpoch()
    runner = Runner(
        model,
        str(root / 'work'),
        train_dataloader=dict(
            dataset=dataset, batch_size=3, sampler=dict(type='DefaultSampler', shuffle=False)
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(checkpoint=dict(type='CheckpointHook', interval=1), logger=None),
        custom_hooks=[AveragePredictionsHook(size=4, batch_size=2, **options)],
        resume=resume,
        experiment_name=f'{root.name}_{epochs}_{resume}',
    )
    model.runner = runner
    return runner


def written(root: Path) -> list[int]:
    masks = []
    for name in ('a/x.png', 'a/y.png', 'z.png'):
        mask = cv2.imread(str(root / 'work/average' / name), cv2.IMREAD_UNCHANGED)
        assert mask.shape == (6, 10) and (mask == mask[0, 0]).all()
        masks.append(int(mask[0, 0]))
    return masks


def expected(blues: list[int], values: list[float], momentum: float) -> np.ndarray:
    average = values[0]
    for value in values[1:]:
        average = momentum * average + (1 - momentum) * value
    return 255 * average * np.array(blues) / 200


@pytest.mark.parametrize(('momentum', 'begin'), [(0.7, 0), (0.5, 1)])
def test_writes_the_moving_average(data, momentum, begin) -> None:
    root, blues = data
    runner = make_runner(root, 3, momentum=momentum, begin=begin)
    runner.train()
    np.testing.assert_allclose(written(root), expected(blues, VALUES[begin:], momentum), atol=1.5)
    assert not any(runner.model.modes) and runner.model.training
    # the last two epochs' averages and nothing else
    states = sorted(path.name for path in (root / 'work').glob('average_epoch_*'))
    assert states == [f'average_epoch_{n}_rank_0_of_1.npy' for n in (2, 3)]


def test_a_resumed_run_continues_exactly(data) -> None:
    root, _ = data
    make_runner(root, 3).train()
    whole = written(root)
    for path in sorted((root / 'work').rglob('*.p*')):
        path.unlink()
    make_runner(root, 2).train()
    assert written(root) != whole
    make_runner(root, 3, resume=True).train()
    assert written(root) == whole


def test_says_what_a_resumed_run_lacks(data) -> None:
    root, _ = data
    make_runner(root, 2).train()
    state = root / 'work/average_epoch_2_rank_0_of_1.npy'
    np.save(state, np.zeros((2, 4, 4), np.uint8))
    with pytest.raises(ValueError, match=r'cannot resume.*has \(2, 4, 4\) uint8, but'):
        make_runner(root, 3, resume=True).train()
    state.write_bytes(b'x')
    with pytest.raises(ValueError, match='cannot resume.*holds no averages'):
        make_runner(root, 3, resume=True).train()


@pytest.mark.parametrize(
    'options', [dict(size=0), dict(size=4, momentum=1.0), dict(size=4, begin=-1)]
)
def test_says_which_option_is_wrong(options) -> None:
    with pytest.raises(ValueError, match='` must be'):
        AveragePredictionsHook(**options)
