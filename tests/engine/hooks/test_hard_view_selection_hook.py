"""HardViewSelectionHook: what it picks, what it leaves alone, when it acts."""

import random
from types import SimpleNamespace
from unittest.mock import Mock

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from mmengine.logging import MessageHub
from mmengine.model import BaseDataPreprocessor, BaseModel
from mmengine.optim import OptimWrapper
from mmengine.registry import init_default_scope
from mmengine.runner import Runner
from mmengine.structures import BaseDataElement
from torch import nn

from bgaug_mm.datasets.transforms import MultiView
from bgaug_mm.engine.hard_views.scorers import SimSiamScorer, ViewScorer
from bgaug_mm.engine.hooks import HardViewSelectionHook, SampleSeedHook
from bgaug_mm.engine.hooks import hard_view_selection_hook as module


class Preprocessor(BaseDataPreprocessor):
    def forward(self, data, training=False):
        data = self.cast_data(data)
        return {**data, 'inputs': [view[:, :3].float() / 60 - 2 for view in data['inputs']]}


class SimSiam(BaseModel):
    """The shape of upstream's, small; found by its name."""

    def __init__(self, norm=nn.BatchNorm1d):
        super().__init__(data_preprocessor=Preprocessor())
        self.backbone = nn.Sequential(nn.Flatten(), nn.Linear(192, 16), norm(16), nn.ReLU())
        self.neck = Tuple(16, 8)
        self.head = nn.Module()
        self.head.predictor = First(8, 8)
        self.head.loss_module = Cosine()
        self.seen = []

    def forward(self, inputs, data_samples=None, mode='loss'):
        self.seen.append([view.clone() for view in inputs])
        z1, z2 = (self.neck(self.backbone(view))[0] for view in inputs)
        p1, p2 = (self.head.predictor([z])[0] for z in (z1, z2))
        loss = self.head.loss_module
        return dict(loss=0.5 * (loss(p1, z2.detach()) + loss(p2, z1.detach())))


class Tuple(nn.Linear):
    def forward(self, x):
        return (super().forward(x),)


class First(nn.Linear):
    def forward(self, x):
        return (super().forward(x[0]),)


class Cosine(nn.Module):
    shift_factor, scale_factor = 0.0, 1.0

    def forward(self, a, b):
        return -F.cosine_similarity(a, b).mean()


def runner_of(model, hub='hub', *, length=4, optim_wrapper=None, dataset=None, seed=7):
    """What the hook reads of a runner, all of it public."""
    optim_wrapper = optim_wrapper or OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
    loader = type('Loader', (), dict(__len__=lambda self: length, dataset=dataset))()
    return SimpleNamespace(
        model=model, optim_wrapper=optim_wrapper, train_dataloader=loader, iter=0, seed=seed,
        message_hub=MessageHub.get_instance(hub),
    )  # fmt: skip


def picks(views, inputs):
    """(B, K): which candidate each sample of each output is; candidates must differ."""
    found = [
        [[i for i, view in enumerate(views) if torch.equal(view[b], out[b])] for out in inputs]
        for b in range(len(views[0]))
    ]
    assert all(len(one) == 1 for sample in found for one in sample)
    return torch.tensor(found).squeeze(2)


def select(hook, runner, views, at=0, **batch):
    runner.iter = at
    batch = dict(inputs=list(views), **batch)
    hook.before_train_iter(runner, at, batch)
    hook.after_train_iter(runner, at, batch)
    return picks(views, batch['inputs'])


def started(runner, **options):
    hook = HardViewSelectionHook(**options)
    hook.before_train(runner)
    return hook


@pytest.fixture
def views(make_batch):
    return make_batch(samples=6, size=8)


@pytest.fixture
def model():
    torch.manual_seed(0)
    return SimSiam().train()


def pair_losses(model, views):
    model.eval()
    for m in model.modules():
        if isinstance(m, nn.BatchNorm1d):
            m.train()
    with torch.no_grad():
        z = [model.neck(model.backbone(view.float() / 60 - 2))[0] for view in views]
        p = [model.head.predictor([x])[0] for x in z]
        losses = {}
        for i in range(len(views)):
            for j in range(i + 1, len(views)):
                losses[i, j] = -0.5 * (
                    F.cosine_similarity(p[i], z[j]) + F.cosine_similarity(p[j], z[i])
                )
    return losses


def test_hardest_pair_of_each_sample(model, views):
    chosen = select(started(runner_of(model)), runner_of(model), views)
    losses = pair_losses(model, views)
    expected = [max(losses, key=lambda pair: losses[pair][b].item()) for b in range(6)]
    assert chosen.tolist() == [list(pair) for pair in expected]
    assert len({tuple(pair) for pair in expected}) > 1
    easiest = select(started(runner_of(model), objective='easiest'), runner_of(model), views)
    expected = [min(losses, key=lambda pair: losses[pair][b].item()) for b in range(6)]
    assert easiest.tolist() == [list(pair) for pair in expected]


def test_masks_go_with_their_views(model, views):
    masked = [torch.cat([view, torch.full((6, 1, 8, 8), i).byte()], 1) for i, view in
              enumerate(views)]  # fmt: skip
    batch = dict(inputs=list(masked))
    hook, runner = started(runner_of(model)), runner_of(model)
    hook.before_train_iter(runner, 0, batch)
    assert batch['inputs'][0].shape == (6, 4, 8, 8)
    expected = select(hook, runner, views)
    assert torch.equal(torch.stack([v[:, 3, 0, 0] for v in batch['inputs']], 1), expected)


def test_score_size(model, views):
    seen = []
    model.backbone = nn.Sequential(nn.AdaptiveAvgPool2d(8), *model.backbone)
    model.backbone[0].register_forward_hook(lambda _, args, out: seen.append(args[0].shape[2:]))
    large = [view.repeat_interleave(2, 2).repeat_interleave(2, 3) for view in views]
    select(started(runner_of(model), score_size=8), runner_of(model), large)
    assert {tuple(size) for size in seen} == {(8, 8)}


def test_recipes(model, views):
    dataset = SimpleNamespace(
        pipeline=SimpleNamespace(transforms=[MultiView(transforms=[[], []], num_views=[2, 2])])
    )
    runner = runner_of(model, dataset=dataset)
    chosen = select(started(runner, per_global_recipe=True), runner, views)
    losses = pair_losses(model, views)
    across = [pair for pair in losses if pair[0] < 2 <= pair[1]]
    expected = [max(across, key=lambda pair: losses[pair][b].item()) for b in range(6)]
    assert chosen.tolist() == [list(pair) for pair in expected]
    # without a choice: one of each recipe, which the pipeline tells
    assert select(started(runner, objective='random'), runner, views).tolist() == [[0, 2]] * 6
    named = started(runner, objective='random', recipes=[0, 0, 0, 1])
    assert select(named, runner, views).tolist() == [[0, 3]] * 6
    with pytest.raises(ValueError, match='`per_global_recipe` finds no MultiView'):
        started(runner_of(model), per_global_recipe=True)
    with pytest.raises(ValueError, match=r'`recipes` must be 4 numbers, .* got \[0, 1\]'):
        select(started(runner, recipes=[0, 1]), runner, views)


def acts(runner, views, iterations, **options):
    """Iterations in which views are scored."""
    hook, seen = started(runner, **options), []
    runner.model.backbone.register_forward_hook(lambda *_: seen.append(runner.iter))
    for at in range(iterations):
        select(hook, runner, views, at)
    return sorted(set(seen))


def test_when_it_acts(views):
    assert acts(runner_of(SimSiam()), views, 4) == [0, 1, 2, 3]
    assert acts(runner_of(SimSiam()), views, 9, begin=1, end=2) == [4, 5, 6, 7]
    every = acts(runner_of(SimSiam()), views, 9, begin=3, end=8, by_epoch=False, every_n_iters=2)
    assert every == [3, 5, 7]
    assert acts(runner_of(SimSiam()), views, 3, objective='random') == []
    assert acts(runner_of(SimSiam()), views, 3, mix=1.0) == []


def hard_shares(make_batch, **options):
    views = make_batch(samples=400, size=8, num_views=3)
    torch.manual_seed(0)
    runner = runner_of(SimSiam())
    hardest = select(started(runner), runner, views)
    away = (hardest != torch.tensor([0, 1])).any(1)  # in the others the choice cannot be seen
    hook = started(runner, **options)
    for at in range(6):
        chosen = select(hook, runner, views, at)
        hard = (chosen == hardest).all(1)
        assert (chosen[~hard] == torch.tensor([0, 1])).all()
        yield hard[away].float().mean().item(), hard


def test_mix_and_warmup(make_batch):
    shares = [share for share, _ in hard_shares(make_batch, warmup=4, by_epoch=False)]
    assert shares == pytest.approx([0.25, 0.5, 0.75, 1, 1, 1], abs=0.08)
    mixed = list(hard_shares(make_batch, mix=0.5, warmup=1))
    assert [share for share, _ in mixed] == pytest.approx(
        [0.125, 0.25, 0.375, 0.5, 0.5, 0.5], abs=0.08
    )
    assert not torch.equal(mixed[4][1], mixed[5][1]), 'drawn anew in each iteration'


def test_choice_is_a_function_of_seed_iteration_and_batch(model, views):
    options = dict(objective=dict(type='top', q=0.5), mix=0.3)
    runner = runner_of(model)
    hook = started(runner, **options)
    straight = [select(hook, runner, views, at) for at in range(8)]
    torch.manual_seed(99), np.random.seed(99), random.seed(99)  # of no influence
    resumed = started(runner, **options)
    assert all(torch.equal(select(resumed, runner, views, at), straight[at]) for at in (5, 6, 7))
    assert not torch.equal(straight[0], straight[1])
    other = started(runner_of(model, seed=8), **options)
    assert not torch.equal(select(other, runner_of(model, seed=8), views), straight[0])


class Crops(ViewScorer):
    multi_crop = True

    def crop_losses(self, model, views):
        count = sum(view.shape == views[0].shape for view in views)
        matrix = torch.zeros(len(views[0]), count, len(views))
        matrix[:, :, 1] = matrix[:, :, 3] = 1.0  # views 1 and 3, …
        matrix[:, :, 5] = matrix[:, :, 7] = 2.0  # … and of the locals 5 and 7 are hard
        return matrix


def test_multi_crop(model, views):
    local = [(view[:, :, :4, :4] // 2 + i).contiguous() for i, view in enumerate(views)]
    runner = runner_of(model)
    hook = started(runner, scorer=Crops(), num_views_out=4)
    batch = dict(inputs=[*views, *local])
    hook.before_train_iter(runner, 0, batch)
    assert [tuple(view.shape[2:]) for view in batch['inputs']] == [(8, 8)] * 2 + [(4, 4)] * 2
    for out, index in zip(batch['inputs'], (1, 3), strict=False):
        assert torch.equal(out, views[index])
    for out, index in zip(batch['inputs'][2:], (1, 3), strict=True):
        assert torch.equal(out, local[index])
    hook = started(runner, scorer=Crops(), num_views_out=4, objective='random')
    batch = dict(inputs=[*views, *local])
    hook.before_train_iter(runner, 0, batch)
    expected = [views[0], views[1], local[0], local[1]]
    assert all(map(torch.equal, batch['inputs'], expected))
    with pytest.raises(ValueError, match='2 global views and 5 local ones, but the pipeline makes'):
        hook = started(runner, scorer=Crops(), num_views_out=7)
        hook.before_train_iter(runner, 0, dict(inputs=[*views, *local]))


class Broken(SimSiamScorer):
    def losses(self, model, features):
        losses = super().losses(model, features)
        losses[2, 0, 3] = torch.nan
        losses[4] = torch.inf
        return losses


def test_scores_that_are_not_finite(model, views, monkeypatch):
    said = Mock()
    monkeypatch.setattr(module, 'print_log', said)
    runner = runner_of(model, 'not_finite')
    usual = select(started(runner), runner, views)
    said.assert_not_called()
    chosen = select(started(runner, scorer=Broken()), runner, views)
    usual[[2, 4]] = torch.tensor([0, 1])
    assert torch.equal(chosen, usual)
    assert 'scores of 2 samples are not finite at iteration 1' in said.call_args[0][0]
    counts = runner.message_hub.log_scalars['train/hard_views/not_finite'].data[0]
    assert counts.tolist() == [0, 2]


def test_batch_of_one_and_no_choice(model, views, monkeypatch):
    said = Mock()
    monkeypatch.setattr(module, 'print_log', said)
    model.backbone.register_forward_hook(lambda *_: pytest.fail('nothing is to be scored'))
    runner = runner_of(model)
    hook = started(runner)
    assert select(hook, runner, [view[:1] for view in views]).tolist() == [[0, 1]]
    said.assert_not_called()
    for _ in range(2):
        assert select(hook, runner, views[:2]).tolist() == [[0, 1]] * 6
    said.assert_called_once()
    assert 'makes 2 views and as many are kept' in said.call_args[0][0]


def test_bad_views(model, views):
    runner = runner_of(model)
    hook = started(runner)
    with pytest.raises(ValueError, match='`num_views_out` is 2, but the pipeline makes only 1'):
        select(hook, runner, views[:1])
    with pytest.raises(ValueError, match='views must be of one size for SimSiamScorer, but have'):
        select(hook, runner, [*views, views[0][..., :4, :4]])
    with pytest.raises(ValueError, match='`num_views_out` must be 2 for SimSiamScorer, which'):
        started(runner, num_views_out=3)
    with pytest.raises(ValueError, match='`inputs` is a list of views'):
        hook.before_train_iter(runner, 0, dict(inputs=views[0]))


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(num_views_out=1), '`num_views_out` must be an integer from 2, but got 1'),
        (dict(every_n_iters=0), '`every_n_iters` must be an integer from 1, but got 0'),
        (dict(begin=-1), '`begin` must be an integer from 0, but got -1'),
        (dict(begin=3, end=3), '`end` must be an integer from 4, but got 3'),
        (dict(warmup=0.5), '`warmup` must be an integer from 0, but got 0.5'),
        (dict(score_size=0), '`score_size` must be an integer from 1, but got 0'),
        (dict(mix=1.3), r'`mix` must be in \[0, 1\], but got 1.3'),
        (dict(objective='hard'), '`objective` must be'),
        (dict(telemetry_interval=-1), '`telemetry_interval` must be'),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        HardViewSelectionHook(**options)


def test_no_scorer(views):
    class Unknown(nn.Module):
        data_preprocessor = Preprocessor()
        backbone = nn.Flatten()

    runner = runner_of(SimSiam())
    runner.model = Unknown()
    with pytest.raises(ValueError, match='no scorer knows the loss of Unknown'):
        started(runner)
    generic = select(started(runner, strict=False), runner, views)
    cosine = [F.cosine_similarity(*(v.flatten(1).float() / 60 - 2 for v in pair)) for pair in
              [(views[i], views[j]) for i in range(4) for j in range(i + 1, 4)]]  # fmt: skip
    pairs = [[i, j] for i in range(4) for j in range(i + 1, 4)]
    assert generic.tolist() == [pairs[k] for k in torch.stack(cosine).argmin(0).tolist()]


def test_drop_path_is_off_while_scoring(views):
    from mmcv.cnn.bricks.drop import DropPath

    def chosen(drop):
        torch.manual_seed(0)
        model = SimSiam().train()
        model.backbone.append(DropPath(drop))
        runner = runner_of(model)
        return select(started(runner), runner, views)

    assert torch.equal(chosen(0.9), chosen(0.0))


class Images(torch.utils.data.Dataset):
    def __init__(self, views):
        self.views = views

    def __len__(self):
        return len(self.views[0])

    def __getitem__(self, index):
        return dict(inputs=[v[index] for v in self.views], data_samples=BaseDataElement())


def collate(samples):
    inputs = [torch.stack(view) for view in zip(*(s['inputs'] for s in samples), strict=True)]
    return dict(inputs=inputs, data_samples=[s['data_samples'] for s in samples])


def run(tmp_path, views, *, resume=None, epochs=3):
    init_default_scope('mmengine')
    torch.manual_seed(0)
    runner = Runner(
        model=SimSiam(),
        work_dir=str(tmp_path),
        train_dataloader=dict(
            batch_size=4, num_workers=0, dataset=Images(views), collate_fn=collate,
            sampler=dict(type='DefaultSampler', shuffle=True),
        ),
        train_cfg=dict(by_epoch=True, max_epochs=epochs),
        optim_wrapper=dict(optimizer=dict(type='SGD', lr=0.1, momentum=0.9)),
        default_hooks=dict(
            sampler_seed=SampleSeedHook(), logger=dict(type='LoggerHook', interval=1)
        ),
        custom_hooks=[
            dict(
                type='bgaug_mm.HardViewSelectionHook', objective=dict(type='top', q=0.5), mix=0.3,
                telemetry_interval=1,
            )
        ],
        randomness=dict(seed=3),
        load_from=resume,
        resume=resume is not None,
        experiment_name=f'{tmp_path.name}-{random.SystemRandom().random()}',
    )  # fmt: skip
    runner.train()
    return runner


def test_in_a_runner_and_resumed(tmp_path, make_batch):
    views = make_batch(samples=12, size=8)
    whole = run(tmp_path / 'whole', views)
    assert all(len(step) == 2 for step in whole.model.seen) and len(whole.model.seen) == 9
    log = (next((tmp_path / 'whole').glob('*/vis_data/scalars.json'))).read_text()
    assert '"hard_views/not_finite": 0' in log and '"hard_views/wins_3"' in log
    resumed = run(tmp_path / 'resumed', views, resume=str(tmp_path / 'whole/epoch_1.pth'))
    steps = zip(resumed.model.seen, whole.model.seen[3:], strict=True)
    assert all(all(map(torch.equal, one, two)) for one, two in steps)
    weights = (runner.model.state_dict().values() for runner in (resumed, whole))
    assert all(map(torch.equal, *weights))
