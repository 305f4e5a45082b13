"""Where a sample's random stream starts, and how far the training is.

Both are shared with the workers.

mmengine's ``worker_init_fn`` gives the three generators of a worker the same
start at every (re)start of the workers: without persistent workers each epoch
draws the same augmentations, with them every resume starts the stream over.
:class:`~bgaug_mm.engine.hooks.SampleSeedHook` writes (seed, epoch) here before
an epoch's iterator exists, :class:`~bgaug_mm.datasets.transforms.SeedSample`
reads it in the worker, so a view is a function of (seed, epoch, sample index).
"""

import numpy as np
import torch


class SampleStream:
    """Seed, epoch and progress in shared memory.

    Holders keep a reference to the object; it stays shared when the holder is
    forked or pickled into a worker process. ``seed`` is -1 while nobody drives
    the stream.
    """

    def __init__(self) -> None:
        state = torch.tensor([-1, 0, 0], dtype=torch.int64)
        self.__setstate__(state.share_memory_())  # type: ignore[no-untyped-call]

    def __getstate__(self) -> torch.Tensor:
        return self._state

    def __setstate__(self, state: torch.Tensor) -> None:
        self._state = state
        self._values = state.numpy()  # the same memory, read some ten times faster
        self._progress = self._values[2:].view(np.float64)

    @property
    def seed(self) -> int:
        """Seed of the run, or -1 while no hook has set it."""
        return int(self._values[0])

    @property
    def epoch(self) -> int:
        """Index of the current training epoch, from 0."""
        return int(self._values[1])

    @property
    def progress(self) -> float:
        """Share of the training that is done, in [0, 1]; 0.0 while no hook has set it."""
        return float(self._progress[0])

    def set(self, *, seed: int, epoch: int, progress: float = 0.0) -> None:
        """Start the streams of an epoch (main process)."""
        self._values[:2] = seed, epoch
        self._progress[0] = progress

    def __deepcopy__(self, memo: dict[int, object]) -> 'SampleStream':
        """The same stream: a copied pipeline (``get_subset``) stays driven."""
        return self


#: The stream of this process and of the workers it starts.
SAMPLE_STREAM = SampleStream()
