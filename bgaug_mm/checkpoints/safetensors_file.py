"""Tensors in the safetensors format: names, types and bytes, and no code."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

import torch
from torch import Tensor

from ..compat.checkpoints import CheckpointError
from ..files import write_bytes

_DTYPES = {
    'F64': torch.float64,
    'F32': torch.float32,
    'F16': torch.float16,
    'BF16': torch.bfloat16,
    'I64': torch.int64,
    'I32': torch.int32,
    'I16': torch.int16,
    'I8': torch.int8,
    'U8': torch.uint8,
    'BOOL': torch.bool,
}
_NAMES = {dtype: name for name, dtype in _DTYPES.items()}


def read_safetensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a ``.safetensors`` file.

    The format (github.com/huggingface/safetensors): eight bytes with the length of a header,
    little-endian; the header, JSON with type, shape and place of each tensor; their bytes.

    Args:
        path (str | PathLike): The file.

    Returns:
        tuple: The tensors by name, on the CPU, and the metadata.

    Raises:
        CheckpointError: If it is damaged, or has a type that this torch has no name for.
        FileNotFoundError: If there is no such file.
    """
    content = Path(path).read_bytes()
    start = 8 + int.from_bytes(content[:8], 'little')
    try:
        header = json.loads(content[8:start])
        metadata = header.pop('__metadata__', {})
        body = memoryview(content)[start:]
        tensors = {name: _tensor(body, **entry) for name, entry in header.items()}
    except (AttributeError, KeyError, RuntimeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f'{path} is not a readable .safetensors file (truncated, or another format): {error}'
        ) from error
    return tensors, metadata


def write_safetensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a ``.safetensors`` file, whole or not at all.

    Args:
        path (str | PathLike): The file; its folder is made.
        tensors (Mapping[str, Tensor]): By name; of floats, integers or booleans.
        metadata (Mapping[str, str], optional): Texts by name. Defaults to None.

    Raises:
        ValueError: For a tensor of another type, e.g. of complex numbers.
    """
    header: dict[str, object] = {'__metadata__': dict(metadata)} if metadata else {}
    parts, end = [], 0
    # the widest types first keeps every tensor aligned to its own width
    for name in sorted(tensors, key=lambda name: (-tensors[name].element_size(), name)):
        tensor = tensors[name].detach().cpu().contiguous()
        if tensor.dtype not in _NAMES:
            raise ValueError(f'{name} is of {tensor.dtype}, which .safetensors files do not take')
        parts.append(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
        start, end = end, end + len(parts[-1])
        header[name] = {
            'dtype': _NAMES[tensor.dtype],
            'shape': list(tensor.shape),
            'data_offsets': [start, end],
        }
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    write_bytes(Path(path), b''.join([len(text).to_bytes(8, 'little'), text, *parts]))


def _tensor(content: memoryview, dtype: str, shape: list[int], data_offsets: list[int]) -> Tensor:
    if dtype not in _DTYPES:
        raise ValueError(f'the type {dtype} is none of {", ".join(_DTYPES)}')
    start, end = data_offsets
    if not 0 <= start <= end <= len(content):
        raise ValueError(f'bytes {start} to {end} of {len(content)}')
    kind = _DTYPES[dtype]
    # frombuffer takes no empty buffer; the copy is aligned, and may be written to
    flat = torch.frombuffer(bytearray(content[start:end]), dtype=kind) if end > start else None
    return (torch.empty(0, dtype=kind) if flat is None else flat).reshape(shape)
