"""The backbone starts from pre-trained weights, or the run does not start."""

from collections.abc import Mapping, Sequence
from typing import Any

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, CheckpointLoader, Runner
from torch import nn

from ...checkpoints import RANDOM, load_backbone_weights
from ...registry import HOOKS
from ..submodules import submodule, unwrapped


@HOOKS.register_module()
class PretrainedBackboneHook(Hook):
    """Load a checkpoint's backbone before training; every weight must be there.

    Upstream's ``Pretrained`` initialisation loads what fits and only warns of the rest: a
    full checkpoint without ``prefix`` (no key matches), or one of another depth, trains
    on from random weights, and a linear probe then measures those. Here the file may be a
    training checkpoint of any algorithm with a ``backbone``, saved from
    DistributedDataParallel, with EMAHook or SWA, or extracted weights, also as
    ``.safetensors``; what does not fit is an error with the keys of both sides and the likely
    reason. See :func:`~bgaug_mm.checkpoints.pick_backbone`.

    A detector of the C4 kind has the backbone's last stage as the shared head of its regions
    of interest (``res5`` is ``layer4``): that part gets its weights from the file too.

    Nothing is loaded where the weights come from elsewhere: when testing, when resuming, and
    with ``load_from``.

    Args:
        module (str): Dotted name of the backbone in the (unwrapped) model. Default
            ``'backbone'``.
        shared_head (str): Dotted name of what shares the weights with it, where the model
            has such a part. Default ``'roi_head.shared_head'``.
        checkpoint (str, optional): The file, or ``'random'`` for a run that is to start
            without. Default None: the config's ``checkpoint``; else the backbone's
            ``init_cfg.checkpoint``.
        which (str, optional): Which network of the file: ``'auto'``, ``'online'``,
            ``'teacher'``, ``'ema'`` or a dotted name. Default None: the config's ``which``;
            else ``'auto'``.
        new (Sequence[str]): Parts of backbone or shared head, by their names there, that no
            checkpoint has, e.g. ``['norm']`` behind the last stage. Default: none.

    Raises:
        ValueError: No checkpoint is named, it does not fit, or there is no such module.
        FileNotFoundError: The checkpoint does not exist.
    """

    priority = 'VERY_HIGH'  # before hooks that copy the model

    def __init__(
        self,
        *,
        module: str = 'backbone',
        shared_head: str = 'roi_head.shared_head',
        checkpoint: str | None = None,
        which: str | None = None,
        new: Sequence[str] = (),
    ) -> None:
        self.module = module
        self.shared_head = shared_head
        self.checkpoint = checkpoint
        self.which = which
        self.new = tuple(new)

    def before_run(self, runner: Runner) -> None:
        """Load the weights in place of the initialisation, which comes next."""
        parts: list[Any] = [submodule(runner.model, self.module)]
        names = dict(unwrapped(runner.model).named_modules())
        if self.shared_head in names:
            parts.append(names[self.shared_head])
        backbone = parts[0]
        if not isinstance(runner._train_loop, BaseLoop) or getattr(backbone, 'is_init', False):
            return  # testing, or testing behind training
        if runner._load_from is not None:
            for part in parts:
                part.init_cfg = None
            return
        by_config = 'checkpoint' in runner.cfg
        key = 'checkpoint' if by_config else f'model.{self.module}.init_cfg.checkpoint'
        option = f'--cfg-options {key}=FILE'
        # a config that has the key has no other source: mmdet's name supervised weights
        named = runner.cfg.checkpoint if by_config else _initial(backbone)
        path = self.checkpoint or named
        if not path:
            raise ValueError(f'no pre-trained weights: name the checkpoint with {option}')
        if path == RANDOM:
            self._start_without(parts)
            return
        which = self.which or runner.cfg.get('which') or 'auto'
        matching = load_backbone_weights(
            parts,
            CheckpointLoader.load_checkpoint(path, map_location='cpu'),
            path,
            which=which,
            new=self.new,
            remedy=f'Name a checkpoint of this backbone ({type(backbone).__name__}) with {option}',
        )
        for part in parts:
            part.is_init = True
        filled = f'{self.module} and {self.shared_head}' if len(parts) > 1 else self.module
        told = f'{filled}: all weights from {path} (`which`: {which})'
        print_log(f'{told}, by part:\n{matching.table()}', logger='current')

    def _start_without(self, parts: Sequence[nn.Module]) -> None:
        for part in parts:
            if _initial(part):
                raise ValueError(
                    f'`checkpoint` is {RANDOM!r}, but the config initialises '
                    f'{type(part).__name__} from {_initial(part)}: set its init_cfg to None'
                )
        print_log(f'{self.module}: random weights, as `checkpoint` says', logger='current')


def _initial(module: nn.Module) -> Any:
    """The checkpoint that a module's ``init_cfg`` names."""
    init_cfg = getattr(module, 'init_cfg', None)
    return init_cfg.get('checkpoint') if isinstance(init_cfg, Mapping) else None
