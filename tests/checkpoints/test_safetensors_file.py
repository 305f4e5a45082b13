import json

import pytest
import torch

from bgaug_mm.checkpoints import read_checkpoint
from bgaug_mm.checkpoints.safetensors_file import read_safetensors, write_safetensors
from bgaug_mm.compat import CheckpointError


def tensors():
    generator = torch.Generator().manual_seed(0)
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
        found[name].zero_()  # may be written to
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


def test_the_library_reads_and_writes_the_same(tmp_path):
    library = pytest.importorskip('safetensors.torch', reason='pip install safetensors')
    write_safetensors(tmp_path / 'x.safetensors', tensors(), {'a': 'b'})
    found = library.load_file(tmp_path / 'x.safetensors')
    assert all(torch.equal(found[name], value) for name, value in tensors().items())
    contiguous = {name: value.contiguous() for name, value in tensors().items()}
    library.save_file(contiguous, tmp_path / 'y.safetensors', {'a': 'b'})
    found, metadata = read_safetensors(tmp_path / 'y.safetensors')
    assert all(torch.equal(found[name], value) for name, value in tensors().items())
    assert metadata == {'a': 'b'}


def entry(**changes):
    return json.dumps({'a': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8], **changes}})


@pytest.mark.parametrize(
    ('header', 'told'),
    [
        (entry(dtype='F8_E4M3'), 'the type F8_E4M3 is none of F64'),
        (entry(data_offsets=[0, 16]), 'bytes 0 to 16 of 8'),
        (entry(data_offsets=[-8, 0]), 'bytes -8 to 0 of 8'),
        (entry(shape=[3]), 'shape'),
        (entry(extra=1), 'extra'),
        ('[1]', 'truncated'),
        ('{"a"', 'truncated'),
    ],
)
def test_a_damaged_file_is_named(header, told, tmp_path):
    path = tmp_path / 'x.safetensors'
    path.write_bytes(len(header).to_bytes(8, 'little') + header.encode() + bytes(8))
    with pytest.raises(CheckpointError, match=r'x\.safetensors is not a readable .*' + told):
        read_safetensors(path)
    path.write_bytes(path.read_bytes()[:6])
    with pytest.raises(CheckpointError, match=r'x\.safetensors'):
        read_checkpoint(path)


def test_types_it_has_no_name_for_are_refused(tmp_path):
    with pytest.raises(ValueError, match=r'a is of torch\.complex64'):
        write_safetensors(tmp_path / 'x.safetensors', {'a': torch.zeros(1, dtype=torch.complex64)})
    assert not list(tmp_path.iterdir())
