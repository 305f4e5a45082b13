import pytest
import torch
from torch import nn

from bgaug_mm.checkpoints import load_backbone_weights, read_checkpoint, stored_config
from bgaug_mm.compat import CheckpointError


def test_weights_that_do_not_fit_list_both_sides():
    model = nn.Linear(2, 2)
    with pytest.raises(ValueError) as caught:
        load_backbone_weights(model, {'encoder.weight': torch.zeros(2, 2)}, 'x.pth')
    message = str(caught.value)
    assert 'x.pth: 0 of the 2 backbone weights match' in message
    assert 'Unmatched in the backbone: bias (2,), weight (2, 2).' in message
    assert 'Unused in the file: encoder.weight (2, 2).' in message
    partly = {'backbone.weight': torch.ones(2, 2), 'backbone.bias': torch.zeros(3)}
    with pytest.raises(
        ValueError, match=r'1 of the 2 .* backbone: bias \(2,\).* file: bias \(3,\)'
    ):
        load_backbone_weights(model, partly, 'x.pth')


def test_backbone_entries_win_over_others_and_module_is_stripped():
    model = nn.Linear(2, 2)
    state = {f'module.backbone.{key}': value + 5 for key, value in model.state_dict().items()}
    expected = model.weight + 5
    load_backbone_weights(model, {**state, 'weight': torch.zeros(2, 2)}, 'x.pth')
    assert torch.equal(model.weight, expected)


def test_counters_of_batch_norm_may_be_missing_and_a_failure_changes_nothing():
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    state = {key: value + 1 for key, value in model.state_dict().items()}
    del state['1.num_batches_tracked']
    before = {key: value.clone() for key, value in model.state_dict().items()}
    for bad in (state.keys() - {'0.weight'}, ['1.running_mean']):
        with pytest.raises(ValueError, match='Put it right'):
            some = {key: state[key] for key in bad}
            load_backbone_weights(model, some, 'x.pth', remedy='Put it right')
        assert all(torch.equal(value, before[key]) for key, value in model.state_dict().items())
    load_backbone_weights(model, state, 'x.pth')
    assert all(torch.equal(model.state_dict()[key], value) for key, value in state.items())


def test_stored_config_errors_name_the_file_and_the_option():
    for content in ({}, {'meta': {}}, {'meta': {'cfg': None}}):
        with pytest.raises(ValueError, match=r'a\.pth has no config in its meta; .* --config'):
            stored_config(content, 'a.pth')
    with pytest.raises(ValueError, match=r'a\.pth: its stored config: line 1.*--config'):
        stored_config({'meta': {'cfg': 'a = open("x")'}}, 'a.pth')
    text = "model = dict(type='subprocess.Popen', args='true')"
    with pytest.raises(ValueError, match=r'the type `subprocess\.Popen`'):
        stored_config({'meta': {'cfg': text}}, 'a.pth')


def test_read_checkpoint(tmp_path):
    with pytest.raises(FileNotFoundError, match='no checkpoint'):
        read_checkpoint(tmp_path / 'none.pth')
    (tmp_path / 'text.pth').write_text('no checkpoint')
    with pytest.raises(CheckpointError, match=r'text\.pth'):
        read_checkpoint(tmp_path / 'text.pth')
    torch.save([1], tmp_path / 'list.pth')
    with pytest.raises(ValueError, match='holds a list'):
        read_checkpoint(tmp_path / 'list.pth')
