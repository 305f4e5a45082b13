"""Forward passes that leave no trace in what training owns."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import nn
from torch.nn.modules.batchnorm import _NormBase  # of all batch and instance norms


@contextmanager
def scoring(model: nn.Module) -> Iterator[None]:
    """Inside, forward passes of the model change nothing and see no noise.

    * No gradients.
    * All modules are in evaluation mode, so that dropout, drop path and whatever else acts
      in training alone are off; also those that call the functional forms.
    * Batch norms that train use the statistics of the batch they are given and touch neither
      their running statistics nor their counters; those that are frozen stay so. SyncBN does
      not communicate: its statistics are those of this process' batch.
    * Random states of torch (CPU and the model's device), numpy and ``random`` are restored,
      and so are all flags.

    Args:
        model (nn.Module): The unwrapped model: no collective may run in a forward pass here,
            for other processes need not score in this iteration.
    """
    device = next((p.device for p in model.parameters()), torch.device('cpu'))
    devices = [device] if device.type == 'cuda' else []
    for_numpy, for_random = np.random.get_state(), random.getstate()
    changed: list[tuple[nn.Module, str, Any]] = []

    def change(module: nn.Module, name: str, value: Any) -> None:
        changed.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    try:
        for module in model.modules():
            if not module.training:
                continue
            if isinstance(module, _NormBase):
                # without running statistics, evaluation mode takes those of the batch
                change(module, 'running_mean', None)
                change(module, 'running_var', None)
                change(module, 'track_running_stats', False)
            change(module, 'training', False)
        with torch.random.fork_rng(devices=devices), torch.no_grad():
            yield
    finally:
        for module, name, value in reversed(changed):
            setattr(module, name, value)
        np.random.set_state(for_numpy)
        random.setstate(for_random)
