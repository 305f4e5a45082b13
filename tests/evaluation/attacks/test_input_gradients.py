import pytest
import torch
import torch.nn.functional as F

from bgaug_mm.evaluation import gradient_share
from bgaug_mm.evaluation.attacks.input_gradients import label_margin, predict


def test_margin_is_the_log_odds():
    logits = torch.tensor([[2.0, 0.0, -1.0], [0.0, 3.0, 1.0]])
    labels = torch.tensor([0, 2])
    p = logits.double().softmax(1)[[0, 1], labels]
    torch.testing.assert_close(label_margin(logits, labels), (p / (1 - p)).log())
    sure = label_margin(torch.tensor([[200.0, 0.0, 0.0]]), torch.tensor([0]))
    torch.testing.assert_close(sure, 200 - torch.tensor([2.0]).double().log())


def test_margins_gradient_is_that_of_the_cross_entropy():
    torch.manual_seed(0)
    logits = torch.randn(5, 4, dtype=torch.double, requires_grad=True)
    labels = torch.tensor([0, 1, 2, 3, 1])
    (margin,) = torch.autograd.grad(label_margin(logits, labels).sum(), logits)
    (loss,) = torch.autograd.grad(F.cross_entropy(logits, labels, reduction='sum'), logits)
    p = logits.detach().softmax(1).gather(1, labels[:, None])
    torch.testing.assert_close(loss, -(1 - p) * margin)


@pytest.mark.parametrize('scale', [1.0, 1e3])
def test_share_of_a_plane_in_closed_form(linear_classifier, scale):
    """Also where the classifier is sure, and the loss's own gradient is zero."""
    torch.manual_seed(0)
    weight = torch.randn(2, 3 * 4 * 5).double() * scale
    classifier = linear_classifier(weight, torch.zeros(2)).train()
    images = torch.randint(0, 256, (7, 3, 4, 5), dtype=torch.uint8)
    labels = predict(classifier, images)
    masks = torch.randint(0, 256, (7, 4, 5), dtype=torch.uint8)
    masks[0], masks[1] = 0, 255
    with torch.no_grad():
        share = gradient_share(classifier, images, labels, masks, batch_size=3)
    energy = (weight[0] - weight[1]).view(3, 4, 5).square().sum(0)
    expected = [(energy * mask / 255).sum() / energy.sum() for mask in masks.double()]
    torch.testing.assert_close(share.foreground, torch.stack(expected), atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(share.area, masks.double().mean((1, 2)) / 255)
    assert share.foreground[0] == 0 and share.foreground[1] == 1
    assert classifier.training


def test_a_constant_model_has_no_share(linear_classifier):
    classifier = linear_classifier(torch.zeros(2, 12).double(), torch.tensor([1.0, 0.0]))
    images = torch.zeros(2, 3, 2, 2, dtype=torch.uint8)
    masks = torch.full((2, 2, 2), 255, dtype=torch.uint8)
    share = gradient_share(classifier, images, torch.tensor([0, 1]), masks)
    assert share.foreground.isnan().all() and share.area.tolist() == [1, 1]


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(masks=torch.zeros(2, 2, 3, dtype=torch.uint8)), r'`masks` must be \(2, 2, 2\) like'),
        (dict(masks=torch.zeros(2, 2, 2)), '`masks` must be uint8, but got torch.float32'),
        (dict(labels=torch.tensor([0, 2])), r'`labels` must be in \[0, 1\], but got 0 to 2'),
        (dict(labels=torch.tensor([0])), r'`labels` \(N,\) with N > 0, but got \(2, 3, 2, 2\)'),
        (dict(images=torch.full((2, 3, 2, 2), torch.nan)), r'`images` must be in \[0, 255\]'),
    ],
)
def test_bad_input(linear_classifier, change, message):
    classifier = linear_classifier(torch.ones(2, 12).double(), torch.zeros(2))
    arguments = {
        'images': torch.zeros(2, 3, 2, 2, dtype=torch.uint8),
        'labels': torch.tensor([0, 1]),
        'masks': torch.zeros(2, 2, 2, dtype=torch.uint8),
        **change,
    }
    with pytest.raises(ValueError, match=message):
        gradient_share(classifier, *arguments.values())
