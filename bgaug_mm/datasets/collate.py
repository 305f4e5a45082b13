"""Batch collation that survives config inheritance across packages."""

from collections.abc import Sequence
from typing import Any

from mmengine.dataset import default_collate as _default_collate

from bgaug_mm.registry import FUNCTIONS


@FUNCTIONS.register_module()
def default_collate(data_batch: Sequence[Any], *, _scope_: str | None = None) -> Any:
    """mmengine's ``default_collate``, which also takes a stray ``_scope_``.

    mmengine writes ``_scope_`` into every typed dict of a base config that comes
    from another package, also into ``collate_fn``, and then calls
    ``default_collate(_scope_=…)``: a TypeError. Naming this function instead
    lets ``_base_ = 'bgaug_mm::…'`` work as it stands.

    Args:
        data_batch (Sequence): Samples of the dataset, as mmengine's takes them.
        _scope_ (str, optional): Ignored. Defaults to None.

    Returns:
        Any: The batch; tensors are stacked, data samples are kept in a list.
    """
    return _default_collate(data_batch)
