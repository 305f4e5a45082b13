import json

import pytest
import torch

from bgaug_mm.checkpoints import read_checkpoint
from bgaug_mm.checkpoints.safetensors_file import read_safetensors, write_safetensors
from bgaug_mm.compat import CheckpointError


def tensors():
    generator = torch.Generator().manual_seed(0)
    shared = torch.randn(5, generator=generator)
    return {
        'byte': torch.arange(3, dtype=torch.uint8),
        'half': torch.randn(3, 2, generator=generator).half(),
        'brain': torch.randn(5, generator=generator).bfloat16(),
        'float': torch.randn(2, 3, 4, generator=generator),
        'double': torch.randn(1, generator=generator).double(),
        'count': torch.tensor(7),
        'bools': torch.tensor([True, False]),
        'none': torch.zeros(0, 3),
        'turned': torch.arange(6.0).reshape(2, 3).T,
        'shared': shared,
        'again': shared,
        'part': shared[1:3],
    }


def test_what_was_written_is_read(tmp_path):
    path = tmp_path / 'new' / 'x.safetensors'
    write_safetensors(path, tensors(), {'source': 'ä.pth'})
    found, metadata = read_safetensors(path)
    assert metadata == {'source': 'ä.pth'}
    assert found.keys() == tensors().keys()
    for name, value in tensors().items():
        assert found[name].dtype == value.dtype
        assert torch.equal(found[name], value), name
    for value in found.values():
        value.zero_()  # may be written to, and the file stays as it is
    assert torch.equal(read_safetensors(path)[0]['shared'], tensors()['shared'])
    assert [file.name for file in path.parent.iterdir()] == ['x.safetensors']
    assert read_checkpoint(path)['meta'] == metadata


def test_bytes_by_hand(tmp_path):
    path = tmp_path / 'x.safetensors'
    header = b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    header += b' ' * (-len(header) % 8)
    values = bytes([0, 0, 128, 63, 0, 0, 0, 192])  # 1.0 and -2.0
    path.write_bytes(len(header).to_bytes(8, 'little') + header + values)
    found, metadata = read_safetensors(path)
    assert found['a'].tolist() == [1, -2]
    assert metadata == {}
    write_safetensors(tmp_path / 'y.safetensors', found)
    assert (tmp_path / 'y.safetensors').read_bytes() == path.read_bytes()


def entry(**changes):
    return json.dumps({'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8], **changes}})


@pytest.mark.parametrize(
    'header',
    [
        entry(dtype='F99'),
        entry(data_offsets=[0, 16]),
        entry(data_offsets=[-8, 0]),
        entry(shape=[3]),
        '[1]',
        '{"a"',
    ],
)
def test_a_damaged_file_is_named(header, tmp_path):
    path = tmp_path / 'x.safetensors'
    path.write_bytes(len(header).to_bytes(8, 'little') + header.encode() + bytes(8))
    told = r'x\.safetensors is not a readable .*truncated'
    with pytest.raises(CheckpointError, match=told):
        read_safetensors(path)
    path.write_bytes(path.read_bytes()[:6])
    with pytest.raises(CheckpointError, match=told):
        read_checkpoint(path)
    path.write_bytes(b'')
    with pytest.raises(CheckpointError, match=told):
        read_checkpoint(path)


def test_a_type_that_torch_does_not_know_is_named(tmp_path, monkeypatch):
    path = tmp_path / 'x.safetensors'
    write_safetensors(path, {'a': torch.zeros(2)})
    monkeypatch.delattr(torch, 'float32')
    with pytest.raises(CheckpointError, match=r'x\.safetensors .*float32'):
        read_safetensors(path)


def test_a_missing_file(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'x\.safetensors'):
        read_safetensors(tmp_path / 'x.safetensors')


def test_types_that_the_format_lacks_are_refused(tmp_path):
    tensors = {'a': torch.zeros(1, dtype=torch.complex128), 'b': torch.zeros(1)}
    with pytest.raises(ValueError, match=r'^a: of torch\.complex128'):
        write_safetensors(tmp_path / 'x.safetensors', tensors)
    assert not list(tmp_path.iterdir())
