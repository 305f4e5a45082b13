import pytest
import torch
from torch import nn

from bgaug_mm.checkpoints import load_backbone_weights, match_weights


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


class ResNet(nn.Module):
    """Names and shapes of one, with basic blocks."""

    def __init__(self, counts, width=4, first=1):
        super().__init__()
        for stage, count in enumerate(counts, first):
            blocks = [
                nn.ModuleDict({'conv1': nn.Conv2d(width, width, 3), 'bn1': nn.BatchNorm2d(width)})
                for _ in range(count)
            ]
            self.add_module(f'layer{stage}', nn.ModuleList(blocks))


def saved(module):
    return {f'backbone.{key}': value + 1 for key, value in module.state_dict().items()}


@pytest.mark.parametrize(
    ('there', 'told'),
    [
        # a deeper network has all the names and shapes of a shallower one, and more
        (
            ResNet([3, 4, 6, 3]),
            r'48 of the 48 .*Unmatched in the backbone: none.*layer1\.2\.bn1\.bias \(4',
        ),
        (ResNet([1, 1, 1, 1]), r'Unmatched in the backbone: layer1\.1\.bn1\.bias \(4,\)'),
        (
            ResNet([2, 2, 2, 2], width=8),
            r' 0 of .*layer1\.0\.bn1\.bias \(8,\).*a ResNet-18, 8 wide; ',
        ),
        (nn.Linear(2, 2), r'0 of .*No name agrees: another architecture, or no backbone'),
    ],
)
def test_other_depths_widths_and_architectures_do_not_fit(there, told):
    here = ResNet([2, 2, 2, 2])
    before = {key: value.clone() for key, value in here.state_dict().items()}
    with pytest.raises(ValueError, match=told):
        load_backbone_weights(here, saved(there), 'x.pth')
    assert all(torch.equal(value, before[key]) for key, value in here.state_dict().items())


def test_the_likely_reason_is_told():
    here = ResNet([2, 2, 2, 2])
    with pytest.raises(ValueError, match=r'holds a ResNet-34, 4 wide; the backbone is a ResNet-18'):
        load_backbone_weights(here, saved(ResNet([3, 4, 6, 3])), 'x.pth')
    elsewhere = {f'module.encoder_q.{key}': value for key, value in here.state_dict().items()}
    with pytest.raises(ValueError, match='encoder_q: choose it with which=encoder_q'):
        load_backbone_weights(here, elsewhere, 'x.pth')
    load_backbone_weights(here, elsewhere, 'x.pth', which='encoder_q')
    wide = {'backbone.weight': torch.zeros(3, 3), 'backbone.bias': torch.zeros(2)}
    with pytest.raises(ValueError, match='Names agree, shapes do not'):
        load_backbone_weights(nn.Linear(2, 2), wide, 'x.pth')


def test_a_head_takes_the_stage_that_the_backbone_leaves_out():
    whole = ResNet([2, 2, 2, 2])
    backbone, head = ResNet([2, 2, 2]), ResNet([2], first=4)
    head.norm = nn.BatchNorm2d(4)
    content = {'state_dict': {**saved(whole), 'head.fc.weight': torch.zeros(1)}}
    with pytest.raises(ValueError, match=r'Unmatched in the backbone: norm\.bias'):
        load_backbone_weights([backbone, head], content, 'x.pth')
    matching = load_backbone_weights([backbone, head], content, 'x.pth', new=['norm'])
    assert len(matching.matched) == len(whole.state_dict())
    assert matching.unexpected == ()
    assert {key.partition('.')[0] for key in matching.optional} == {'norm'}
    loaded = {**backbone.state_dict(), **head.state_dict()}
    for key, value in whole.state_dict().items():
        assert torch.equal(loaded[key], value + 1)
    assert load_backbone_weights(backbone, content, 'x.pth').unexpected[0].startswith('layer4.0')
    with pytest.raises(ValueError, match=r'Unmatched in the backbone: layer4\.0'):
        load_backbone_weights([backbone, head], saved(backbone), 'x.pth', new=['norm'])


def test_groups_of_names():
    here = nn.ModuleDict({'a': nn.Linear(2, 2), 'b': nn.BatchNorm1d(2), 'c': nn.Linear(1, 1)})
    there = {'a.weight': torch.zeros(2, 2), 'a.bias': torch.zeros(3), 'a.more': torch.zeros(1),
             'd.weight': torch.zeros(1), **{f'b.{k}': v for k, v in here['b'].state_dict().items()
                                            if k != 'num_batches_tracked'}}  # fmt: skip
    found = match_weights(here, there, new=['c'])
    assert found.matched == ('a.weight', 'b.bias', 'b.running_mean', 'b.running_var', 'b.weight')
    assert found.missing == ('a.bias',)
    assert found.unexpected == ('a.bias', 'a.more', 'd.weight')
    assert found.optional == ('b.num_batches_tracked', 'c.bias', 'c.weight')
    assert found.partial == ('a.bias', 'a.more')
    assert not found.complete
    assert [line.split() for line in found.table().splitlines()] == [
        ['matched', 'missing', 'unexpected', 'optional'],
        ['a', '1', '1', '2', '0'],
        ['b', '4', '0', '0', '1'],
        ['c', '0', '0', '0', '2'],
        ['d', '0', '0', '1', '0'],
    ]
    assert match_weights(nn.Linear(1, 1), {}).complete is False
