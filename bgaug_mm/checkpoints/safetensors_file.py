"""Tensors in the safetensors format: names, types and bytes, and no code."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from ..compat.checkpoints import CheckpointError
from ..files import write_bytes


def read_safetensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, str]]:
    """Read a ``.safetensors`` file.

    Args:
        path (str | PathLike): The file.

    Returns:
        tuple: The tensors by name, on the CPU, and the metadata.

    Raises:
        CheckpointError: If it is damaged, or has a type that this torch does not know.
        FileNotFoundError: If there is no such file.
    """
    try:
        with safe_open(os.fspath(path), framework='pt') as file:
            names, metadata = file.keys(), file.metadata()  # it is no mapping
            return {name: file.get_tensor(name) for name in names}, metadata or {}
    except (AttributeError, SafetensorError) as error:  # AttributeError: torch.<a newer type>
        raise CheckpointError(
            f'{path} is not a readable .safetensors file (truncated, or another format): {error}'
        ) from error


def write_safetensors(
    path: str | os.PathLike[str],
    tensors: Mapping[str, Tensor],
    metadata: Mapping[str, str] | None = None,
) -> None:
    """Write a ``.safetensors`` file, whole or not at all.

    Args:
        path (str | PathLike): The file; its folder is made.
        tensors (Mapping[str, Tensor]): By name. What shares memory is written once for each.
        metadata (Mapping[str, str], optional): Texts by name. Defaults to None.

    Raises:
        ValueError: For a tensor of a type that the format lacks, e.g. of double complex numbers.
    """
    # the library refuses tensors that share memory or are not contiguous
    apart = {name: value.detach().cpu().contiguous().clone() for name, value in tensors.items()}
    try:
        content = save(apart, dict(metadata) if metadata else None)
    except KeyError as error:  # the library looks the type up
        refused = str(error.args[0])
        named = [name for name, value in apart.items() if str(value.dtype) == refused]
        raise ValueError(
            f'{", ".join(named)}: of {refused}, which .safetensors files do not take'
        ) from error
    write_bytes(Path(path), content)
