import runpy
from pathlib import Path

import pytest
import torch

TOOL = Path(__file__).resolve().parents[2] / 'tools/model_converters/extract_backbone_weights.py'


@pytest.fixture(scope='module')
def tool():
    return runpy.run_path(str(TOOL))


@pytest.fixture
def checkpoint(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    weights = {'conv1.weight': torch.ones(4, 3, 7, 7), 'bn1.weight': torch.ones(4),
               'layer1.0.conv1.weight': torch.ones(4, 4, 3, 3)}  # fmt: skip
    state = {f'backbone.{key}': value for key, value in weights.items()}
    state |= {f'teacher_backbone.{key}': 2 * value for key, value in weights.items()}
    torch.save({'state_dict': state, 'meta': {'epoch': 9}}, 'epoch_9.pth')
    return 'epoch_9.pth'


def test_a_file_is_looked_into(tool, checkpoint, tmp_path, capsys):
    tool['main']([checkpoint])
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ['epoch_9.pth', 'holds'],
        ['backbone', '(online)'],
        ['conv1', '1', 'tensors', '588', 'values'],
        ['bn1', '1', 'tensors', '4', 'values'],
        ['layer1', '1', 'tensors', '144', 'values'],
        ['all', '3', 'tensors', '736', 'values'],
        ['teacher_backbone', '(teacher)'],
        ['conv1', '1', 'tensors', '588', 'values'],
        ['bn1', '1', 'tensors', '4', 'values'],
        ['layer1', '1', 'tensors', '144', 'values'],
        ['all', '3', 'tensors', '736', 'values'],
    ]
    assert [path.name for path in tmp_path.iterdir()] == ['epoch_9.pth']


@pytest.mark.parametrize(
    ('options', 'told'),
    [
        (['out.pth', '--which', 'teacher'], 'checkpoint=out.pth in the configs'),
        (['out.pth', '--to', 'torchvision'], "model.load_state_dict(torch.load('out.pth')['state_"),
        (['out.safetensors', '--to', 'timm'], "checkpoint_path='out.safetensors')"),
        (['out.pth', '--to', 'detectron2'], "INPUT.FORMAT: 'RGB'"),
    ],
)
def test_a_file_is_written_and_its_use_told(options, told, tool, checkpoint, capsys):
    tool['main']([checkpoint, *options])
    printed = capsys.readouterr().out
    assert told in printed
    assert 'epoch: 9\n' in printed
    assert (
        f'network: {"teacher_backbone (teacher)" if "teacher" in options else "backbone (on"}'
        in (printed)
    )
    assert Path(options[0]).is_file()


def test_errors_are_one_line(tool, checkpoint):
    told = r"extract_backbone_weights: epoch_9\.pth has no network 'ema2': it has backbone \(online"
    with pytest.raises(SystemExit, match=told):
        tool['main']([checkpoint, 'out.pth', '--which', 'ema2'])
    with pytest.raises(SystemExit, match='no checkpoint none.pth'):
        tool['main'](['none.pth', 'out.pth'])
    Path('text.pth').write_text('text')
    with pytest.raises(SystemExit, match='is not a readable checkpoint'):
        tool['main'](['text.pth'])
    assert not Path('out.pth').exists()
