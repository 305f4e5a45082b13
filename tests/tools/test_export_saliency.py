"""The tool in this process: what it writes, and what it says of files it cannot use."""

import runpy
from pathlib import Path

import numpy as np
import pytest
import torch
from mmengine.config import Config

from bgaug_mm.registry import MODELS
from bgaug_mm.saliency import build_estimator

pytest.importorskip('onnx', reason='requirements/saliency.txt is not installed')
pytest.importorskip('onnxruntime', reason='requirements/saliency.txt is not installed')

TOOLS = Path(__file__).resolve().parents[2] / 'tools/saliency'
MODEL = dict(
    type='bgaug_mm.SaliencyLearner',
    network=dict(
        type='bgaug_mm.SaliencyNet',
        encoder=dict(type='bgaug_mm.SaliencyEncoder', widths=(4, 6)),
    ),
)


@pytest.fixture
def main():
    return runpy.run_path(str(TOOLS / 'export_saliency.py'))['main']


@pytest.fixture
def checkpoint(tmp_path):
    """Of a network trained on crops of 24 pixels, with its config."""
    torch.manual_seed(0)
    crop = dict(type='bgaug_mm.RandomResizedCrop', size=24)
    config = Config(dict(model=MODEL, train_dataloader=dict(dataset=dict(pipeline=[crop]))))
    content = {'meta': dict(cfg=config.pretty_text), 'state_dict': MODELS.build(MODEL).state_dict()}
    torch.save(content, tmp_path / 'x.pth')
    config.dump(str(tmp_path / 'config.py'))
    return tmp_path / 'x.pth'


@pytest.mark.parametrize(('options', 'side'), [([], 24), (['--size', '40'], 40)])
def test_gives_what_the_checkpoint_gives(main, checkpoint, capsys, options, side):
    file = checkpoint.with_name('net.onnx')
    main([str(checkpoint), str(file), *options])
    assert f'{file}: as torch within' in capsys.readouterr().out
    image = np.random.default_rng(0).integers(0, 256, (side, side, 3), np.uint8)
    exported = build_estimator('onnx', path=file, stretch=False)
    learned = build_estimator('learned', checkpoint=str(checkpoint), size=side, device='cpu')
    assert exported.input_size == side
    np.testing.assert_allclose(exported(image), learned(image), atol=1e-4)


def test_weights_alone_need_their_config(main, checkpoint):
    content = torch.load(checkpoint, weights_only=True)
    torch.save({'state_dict': content['state_dict']}, checkpoint)
    with pytest.raises(SystemExit, match='export_saliency: .*has no config.*--config'):
        main([str(checkpoint), str(checkpoint.with_name('net.onnx'))])
    config = str(checkpoint.with_name('config.py'))
    main([str(checkpoint), str(checkpoint.with_name('net.onnx')), '--config', config])
    with pytest.raises(SystemExit, match='`size` must be at least 1, but got 0'):
        main([str(checkpoint), 'net.onnx', '--config', config, '--size', '0'])


@pytest.mark.parametrize(
    ('content', 'text'),
    [(None, 'no checkpoint'), ({'meta': dict(cfg="model = dict(type='X')")}, 'must be a check')],
)
def test_says_what_is_wrong_and_writes_nothing(main, tmp_path, content, text):
    if content:
        torch.save(content, tmp_path / 'x.pth')
    with pytest.raises(SystemExit, match=f'export_saliency: .*{text}'):
        main([str(tmp_path / 'x.pth'), str(tmp_path / 'net.onnx')])
    assert not (tmp_path / 'net.onnx').exists()
