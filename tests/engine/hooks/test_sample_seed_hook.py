"""SampleSeedHook alone and in a tiny runner, with upstream's defect as the failing case."""

import random
import sys
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
from mmengine.dataset import BaseDataset, DefaultSampler
from mmengine.hooks import DistSamplerSeedHook
from mmengine.model import BaseModel
from mmengine.registry import HOOKS as ROOT_HOOKS
from mmengine.registry import init_default_scope
from mmengine.runner import EpochBasedTrainLoop, IterBasedTrainLoop, Runner

from bgaug_mm.datasets.sample_stream import SAMPLE_STREAM
from bgaug_mm.datasets.transforms import SeedSample
from bgaug_mm.engine.hooks import SampleSeedHook

SAMPLES = 8


@pytest.fixture(autouse=True)
def stream_off():
    SAMPLE_STREAM.set(seed=-1, epoch=0)
    yield
    SAMPLE_STREAM.set(seed=-1, epoch=0)


class Drawing(BaseDataset):
    """Each sample: its index and one number of each generator."""

    def __init__(self, seeded: bool) -> None:
        transforms = [SeedSample()] if seeded else []
        super().__init__(pipeline=[*transforms, self.draw])

    def load_data_list(self):
        return [dict() for _ in range(SAMPLES)]

    @staticmethod
    def draw(results):
        numbers = [np.random.rand(), random.random(), float(torch.rand((), dtype=torch.double))]
        return torch.tensor([results['sample_idx'], *numbers], dtype=torch.double)


class Recorder(BaseModel):
    """Keeps what it is fed, by epoch, and a number it draws itself."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.fed: list[torch.Tensor] = []
        self.drawn: list[float] = []

    def forward(self, inputs, data_samples=None, mode='tensor'):
        return dict(loss=self.weight)

    def train_step(self, data, optim_wrapper):
        self.fed += list(torch.stack(list(data)))
        self.drawn.append(float(torch.rand(())))
        return super().train_step(dict(inputs=data), optim_wrapper)

    def by_epoch(self) -> list[dict[int, tuple[float, ...]]]:
        epochs = [self.fed[i : i + SAMPLES] for i in range(0, len(self.fed), SAMPLES)]
        return [{int(row[0]): tuple(row[1:].tolist()) for row in rows} for rows in epochs]


def run(tmp_path, *, hook=SampleSeedHook, seeded=True, workers=0, persistent=False, seed=3,
        epochs=3, train_cfg=None, resume=None) -> Recorder:  # fmt: skip
    init_default_scope('mmengine')
    runner = Runner(
        model=Recorder(),
        work_dir=str(tmp_path),
        train_dataloader=dict(
            batch_size=2,
            num_workers=workers,
            persistent_workers=persistent,
            dataset=Drawing(seeded),
            sampler=dict(type='DefaultSampler', shuffle=True),
        ),
        train_cfg=train_cfg or dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1)),
        default_hooks=dict(sampler_seed=hook(), logger=None, timer=None, param_scheduler=None),
        randomness=dict(seed=seed),
        load_from=resume,
        resume=resume is not None,
        experiment_name=f'{tmp_path.name}-{random.SystemRandom().random()}',
    )
    runner.train()
    iterator = runner.train_dataloader._iterator
    if iterator is not None:  # persistent workers; left to the garbage collector they wait
        iterator._shutdown_workers()
    return runner.model


WORKERS = [dict(workers=0), dict(workers=2), dict(workers=2, persistent=True)]


def distinct(epochs: list[dict]) -> bool:
    """Whether no image was given the same number twice, by any generator."""
    return all(
        len({epoch[i][generator] for epoch in epochs}) == len(epochs)
        for i in range(SAMPLES)
        for generator in range(3)
    )


@pytest.mark.parametrize('workers', WORKERS)
def test_no_two_epochs_draw_the_same(tmp_path, workers):
    model = run(tmp_path, **workers)
    epochs = model.by_epoch()
    assert len(epochs) == 3 and distinct(epochs)
    assert len({numbers for epoch in epochs for numbers in epoch.values()}) == 3 * SAMPLES
    single = run(tmp_path, workers=0)
    assert (epochs, model.drawn) == (single.by_epoch(), single.drawn), 'workers do not matter'


def test_upstreams_epochs_repeat(tmp_path):
    """The defect: without persistent workers each epoch starts the same streams."""
    model = run(tmp_path, hook=DistSamplerSeedHook, seeded=False, workers=2)
    epochs = model.by_epoch()
    assert not distinct(epochs)
    streams = [sorted(epoch.values()) for epoch in epochs]
    assert streams[0] == streams[1] == streams[2]


@pytest.mark.parametrize('workers', WORKERS)
@pytest.mark.parametrize('seed', [3, None])
def test_resumed_run_goes_on(tmp_path, workers, seed):
    """Order, views and what the model draws, with and without a configured seed."""
    whole = run(tmp_path / 'whole', seed=seed, **workers)
    checkpoint = str(tmp_path / 'whole/epoch_1.pth')
    resumed = run(tmp_path / 'resumed', seed=seed, resume=checkpoint, **workers)
    assert torch.equal(torch.stack(resumed.fed), torch.stack(whole.fed[SAMPLES:]))
    assert resumed.drawn == whole.drawn[SAMPLES // 2 :]
    assert len(set(whole.drawn)) == len(whole.drawn)


class Progress(Drawing):
    """Each sample: its index and the progress its worker sees."""

    @staticmethod
    def draw(results):
        return torch.tensor([results['sample_idx'], SAMPLE_STREAM.progress], dtype=torch.double)


@pytest.mark.parametrize('workers', [WORKERS[0], WORKERS[2]])
def test_progress_reaches_the_workers_and_goes_on_when_resumed(tmp_path, workers, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], 'Drawing', Progress)
    whole = run(tmp_path / 'whole', epochs=4, **workers)
    seen = [set(epoch.values()) for epoch in whole.by_epoch()]
    assert seen == [{(0.0,)}, {(0.25,)}, {(0.5,)}, {(0.75,)}]
    checkpoint = str(tmp_path / 'whole/epoch_2.pth')
    resumed = run(tmp_path / 'resumed', epochs=4, resume=checkpoint, **workers)
    assert [set(epoch.values()) for epoch in resumed.by_epoch()] == seen[2:]


def test_progress_of_a_loop_by_iterations(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules[__name__], 'Drawing', Progress)
    model = run(tmp_path, train_cfg=dict(by_epoch=False, max_iters=4))
    # a batch is made at the end of the iteration before
    assert [float(row[1]) for row in model.fed[::2]] == [0.0, 0.0, 0.25, 0.5]


def test_iterations_leave_the_stream_off(tmp_path, monkeypatch):
    said = Mock()
    monkeypatch.setattr('bgaug_mm.engine.hooks.sample_seed_hook.print_log', said)
    cfg = dict(by_epoch=False, max_iters=3)
    SAMPLE_STREAM.set(seed=1, epoch=1)  # an earlier run of this process
    run(tmp_path, train_cfg=cfg)
    assert SAMPLE_STREAM.seed == -1
    said.assert_called_once()
    assert 'the training loop counts iterations, not epochs' in said.call_args[0][0]


class Sampler(DefaultSampler):
    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.epoch = -1


def mock_runner(loop=EpochBasedTrainLoop, **attributes) -> Mock:
    loader = SimpleNamespace(**attributes)
    loader.__dict__.setdefault('batch_sampler', None)
    train_loop = Mock(spec=loop, dataloader=loader)
    return Mock(seed=11, epoch=4, max_epochs=5, iter=30, max_iters=40, train_loop=train_loop)


@pytest.mark.parametrize('where', ['sampler', 'batch_sampler'])
def test_seed_and_epoch_reach_the_sampler(where):
    sampler = Sampler(seed=5)
    if where == 'sampler':
        runner = mock_runner(sampler=sampler)
    else:
        runner = mock_runner(sampler=object(), batch_sampler=SimpleNamespace(sampler=sampler))
    hook = SampleSeedHook()
    hook.before_train(runner)
    assert sampler.seed == 11
    hook.before_train_epoch(runner)
    assert sampler.epoch == 4
    assert (SAMPLE_STREAM.seed, SAMPLE_STREAM.epoch, SAMPLE_STREAM.progress) == (11, 4, 0.8)


def test_all_ranks_take_the_seed_of_the_first(monkeypatch):
    def from_rank_0(seeds):
        seeds[0] = 42

    module = 'bgaug_mm.engine.hooks.sample_seed_hook.broadcast_object_list'
    monkeypatch.setattr(module, from_rank_0)
    runner = mock_runner(sampler=Sampler(seed=5))
    hook = SampleSeedHook()
    hook.before_train(runner)
    hook.before_train_epoch(runner)
    assert SAMPLE_STREAM.seed == runner.train_loop.dataloader.sampler.seed == 42


def test_iteration_loop_keeps_the_samplers_seed():
    runner = mock_runner(IterBasedTrainLoop, sampler=Sampler(seed=5))
    hook = SampleSeedHook()
    state = torch.get_rng_state()
    hook.before_train(runner)
    assert SAMPLE_STREAM.progress == 0.75  # a resumed run's workers start with it
    hook.before_train_epoch(runner)
    runner.iter = 31
    hook.before_train_iter(runner, 0)
    assert runner.train_loop.dataloader.sampler.seed == 5
    assert SAMPLE_STREAM.seed == -1
    assert SAMPLE_STREAM.progress == 31 / 40
    assert torch.equal(torch.get_rng_state(), state)


def test_it_is_registered():
    hook = ROOT_HOOKS.build(dict(type='bgaug_mm.SampleSeedHook'))
    assert isinstance(hook, SampleSeedHook) and isinstance(hook, DistSamplerSeedHook)
