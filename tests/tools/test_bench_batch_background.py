import importlib.util
import json
import sys

import pytest
import torch


@pytest.fixture(scope='module')
def bench(root):
    path = root / 'tools/benchmarks/bench_batch_background.py'
    spec = importlib.util.spec_from_file_location('bench_batch_background', path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_bytes_by_hand(bench):
    a = torch.zeros(10, 4)
    with bench.BytesMoved() as counter:
        a + torch.ones(1, 4).expand(10, 4)  # the ones: 16 bytes; 160 + 16 read, 160 written
        a[2:5].t()  # views move nothing
        a.index_select(0, torch.tensor([1]))  # one row read, one written
    assert counter.by_op['add'] == 336
    assert counter.by_op['index_select'] == 32
    assert not {'slice', 't', 'expand'} & {name for name, moved in counter.by_op.items() if moved}


def test_writes_a_table_and_a_file(bench, tmp_path, monkeypatch, capsys):
    file = tmp_path / 'out.json'
    options = dict(batch=4, size=32, rounds=1, forward_batch=2, probs=1, json=file)
    argv = [f'--{name.replace("_", "-")}={value}' for name, value in options.items()]
    monkeypatch.setattr(sys, 'argv', ['bench', *argv])
    bench.main()
    result = json.loads(file.read_text())
    plain, swapped = result['rows']
    assert (plain['preprocessor'], swapped['preprocessor']) == ('no operation', 'prob 1')
    assert plain['ms_of_operation'] == 0 < swapped['ms_of_operation']
    assert plain['megabytes_moved'] < swapped['megabytes_moved']
    assert result['resnet50_forward']['images_run'] == 2
    assert result['resnet50_forward']['ms'] > 0 and result['settings']['batch'] == 4
    assert 'ResNet-50' in capsys.readouterr().out
