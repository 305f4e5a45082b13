"""Settings of the suites."""

from __future__ import annotations

from dataclasses import dataclass

from ..probes.background_gap import OPTIONAL_SETS

#: Norm of the attacks → radii.
_EPS = {'linf': (1 / 255, 4 / 255), 'l2': (0.25, 1.0)}


@dataclass(frozen=True, kw_only=True)
class SuiteOptions:
    """Settings of :func:`~bgaug_mm.evaluation.suite.world.evaluate_world`, and of
    :func:`~bgaug_mm.evaluation.suite.imagenet.evaluate_imagenet`, which looks at those of
    attacks and distortions, `batch_size` and `device` alone.

    Attributes:
        size: Side the images are resized to. Defaults to None, as they are.
        batch_size: Images a batch. Defaults to 256.
        device: Where to compute. Defaults to ``'cpu'``.
        l2: Penalty of the linear probe. Defaults to 1e-3.
        k: Neighbours of the k-NN probe. Defaults to 20.
        probed: Images of ``mixed_rand`` (evenly chosen, as below) whose heat maps are made.
            Defaults to 128.
        attacked: Images that are attacked, of a world's ``mixed_rand``. Defaults to 64.
        distorted: Images that are distorted, of a world's ``original``. Defaults to 192.
        norm: Of the attacks, ``'linf'`` or ``'l2'`` (all pixels of an image together).
            Defaults to ``'linf'``.
        eps: Their radii, of an image of 0..1, each above 0. Defaults to None: 1 and 4 of 255,
            or 0.25 and 1 under ``'l2'``.
        steps: Of PGD. Defaults to 10.
        restarts: Of PGD: starts, of which the first is the image itself. Defaults to 1.
        parts: Which optional parts run: ``'no_fg'`` and ``'adversarial'``, sets that a world may
            have (the latter as large as all others together), ``'structure'``, ``'attacks'``,
            ``'heat'``. Defaults to all.

    Raises:
        ValueError: For counts below 1, a negative `l2`, another norm, or radii of 0 or below.
    """

    size: int | None = None
    batch_size: int = 256
    device: str = 'cpu'
    l2: float = 1e-3
    k: int = 20
    probed: int = 128
    attacked: int = 64
    distorted: int = 192
    norm: str = 'linf'
    eps: tuple[float, ...] | None = None
    steps: int = 10
    restarts: int = 1
    parts: tuple[str, ...] = (*OPTIONAL_SETS, 'structure', 'attacks', 'heat')

    def __post_init__(self) -> None:
        for name in ('batch_size', 'k', 'probed', 'attacked', 'distorted', 'steps', 'restarts'):
            if getattr(self, name) < 1:
                raise ValueError(f'`{name}` must be at least 1, but got {getattr(self, name)}')
        if self.size is not None and self.size < 1:
            raise ValueError(f'`size` must be at least 1, but got {self.size}')
        if self.l2 < 0:
            raise ValueError(f'`l2` must not be negative, but got {self.l2}')
        if self.norm not in _EPS:
            raise ValueError(f'`norm` must be one of {list(_EPS)}, but got {self.norm!r}')
        if not self.radii or min(self.radii) <= 0:
            raise ValueError(f'`eps` must be above 0, but got {self.eps}')

    @property
    def radii(self) -> tuple[float, ...]:
        """`eps`, or the norm's default."""
        return _EPS[self.norm] if self.eps is None else self.eps
