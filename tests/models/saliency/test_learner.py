"""The learner's losses against their definitions; what it is fed."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from bgaug_mm.models import FBetaLoss, SaliencyLearner
from bgaug_mm.models.saliency.learner import MEAN, STD
from bgaug_mm.registry import MODELS


@MODELS.register_module(force=True)
class RedChannel(nn.Module):
    """The first normalised channel as logits."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))

    def forward(self, x):
        return self.scale * x[:, :1]


def learner(**options) -> SaliencyLearner:
    return SaliencyLearner(network=dict(type='bgaug_mm.RedChannel'), **options)


@pytest.fixture
def batch() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (2, 4, 5, 6), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize('to_rgb', [True, False])
def test_red_is_normalised_as_red(batch, to_rgb) -> None:
    red = batch[:, 2 if to_rgb else 0].float()
    found = learner(to_rgb=to_rgb)([batch], mode='predict')
    torch.testing.assert_close(found, ((red - MEAN[0]) / STD[0]).sigmoid())
    assert found.shape == (2, 5, 6)


@pytest.mark.parametrize('threshold', [None, 0.5])
def test_losses_are_the_weighted_ones_of_the_target_channel(batch, threshold) -> None:
    model = learner(f_beta_weight=2.0, bce_weight=0.5, threshold=threshold)
    logits, target = model([batch]), batch[:, 3:].float() / 255
    if threshold is not None:
        target = (target >= threshold).float()
    losses = model([batch], mode='loss')
    torch.testing.assert_close(losses['loss_f_beta'], 2 * FBetaLoss()(logits.sigmoid(), target))
    expected = 0.5 * F.binary_cross_entropy_with_logits(logits, target)
    torch.testing.assert_close(losses['loss_bce'], expected)
    assert set(learner(bce_weight=0)([batch], mode='loss')) == {'loss_f_beta'}


def test_learns_what_the_target_says() -> None:
    """Bright discs, an eighth of the pixels of the labels wrong: what is learnt is the disc."""
    torch.manual_seed(0)
    encoder = dict(type='bgaug_mm.SaliencyEncoder', widths=(4, 8))
    model = SaliencyLearner(network=dict(type='bgaug_mm.SaliencyNet', encoder=encoder))
    y, x = torch.meshgrid(torch.arange(24), torch.arange(24), indexing='ij')
    centres = torch.randint(8, 16, (16, 2))
    truth = torch.stack([(y - a) ** 2 + (x - b) ** 2 < 25 for a, b in centres]).float()
    labels = torch.where(torch.rand(truth.shape) < 1 / 8, 1 - truth, truth)
    images = (60 + 120 * truth + 20 * torch.randn(truth.shape)).clamp(0, 255)
    batch = torch.stack([images, images, images, 255 * labels], 1).byte()
    optimizer = torch.optim.AdamW(model.parameters(), 1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        sum(model([batch], mode='loss').values()).backward()
        optimizer.step()
    found = model.predict(batch) > 0.5
    wrong = (found != truth.bool()).float().mean()
    assert wrong < 0.03 < (labels != truth).float().mean()


def test_says_what_it_needs(batch) -> None:
    with pytest.raises(ValueError, match='pseudo label as the fourth channel'):
        learner()([batch[:, :3]], mode='loss')
    with pytest.raises(ValueError, match='one view of each image is needed, but got 2'):
        learner()([batch, batch], mode='loss')
    with pytest.raises(ValueError, match="`mode` must be 'loss', 'predict' or 'tensor'"):
        learner()([batch], mode='x')
    with pytest.raises(ValueError, match='images must be'):
        learner()(batch[0], mode='predict')


@pytest.mark.parametrize(
    'options', [dict(threshold=1.0), dict(f_beta_weight=-1), dict(f_beta_weight=0, bce_weight=0)]
)
def test_says_which_option_is_wrong(options) -> None:
    with pytest.raises(ValueError, match=f'`{next(iter(options))}`'):
        learner(**options)
