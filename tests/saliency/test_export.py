"""An exported network gives what torch gives, also through the estimator 'onnx'."""

import numpy as np
import pytest
import torch
from torch import nn

from bgaug_mm.models import SaliencyNet
from bgaug_mm.models.saliency.learner import MEAN, STD
from bgaug_mm.saliency import build_estimator
from bgaug_mm.saliency.base import rescale
from bgaug_mm.saliency.export import export_onnx
from bgaug_mm.saliency.learned import squares

pytest.importorskip('onnx', reason='requirements/saliency.txt is not installed')
pytest.importorskip('onnxruntime', reason='requirements/saliency.txt is not installed')


def test_runs_as_the_estimator_onnx(tmp_path) -> None:
    torch.manual_seed(0)
    encoder = dict(type='bgaug_mm.SaliencyEncoder', widths=(4, 6, 8))
    network = SaliencyNet(encoder=encoder)
    assert export_onnx(network, tmp_path / 'n.onnx', size=40) < 1e-4
    assert network.training  # the caller's network is left as it was
    images = [np.random.default_rng(i).integers(0, 256, (40, 40, 3), np.uint8) for i in range(3)]
    found = build_estimator('onnx', path=tmp_path / 'n.onnx').batch(images)
    batch = torch.from_numpy(squares(images, 40)).permute(0, 3, 1, 2).float()
    mean, std = torch.tensor(MEAN).view(3, 1, 1), torch.tensor(STD).view(3, 1, 1)
    with torch.no_grad():
        expected = network.eval()((batch - mean) / std).sigmoid()[:, 0].numpy()
    for saliency, one in zip(found, expected, strict=True):
        np.testing.assert_allclose(saliency, rescale(one), atol=1e-3)


def test_writes_nothing_when_the_outputs_differ(tmp_path) -> None:
    class Fickle(nn.Module):
        """What it returns is fixed while it is exported."""

        def forward(self, x):
            return x[:, :1] * 0 + (9 if torch.onnx.is_in_onnx_export() else -9)

    with pytest.raises(ValueError, match='differs from torch by 1'):
        export_onnx(Fickle(), tmp_path / 'n.onnx', size=8)
    assert not list(tmp_path.iterdir())


def test_size_must_be_positive(tmp_path) -> None:
    with pytest.raises(ValueError, match='`size` must be at least 1, but got 0'):
        export_onnx(nn.Identity(), tmp_path / 'n.onnx', size=0)
