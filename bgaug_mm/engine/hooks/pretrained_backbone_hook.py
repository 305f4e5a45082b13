"""The backbone starts from pre-trained weights, or the run does not start."""

from collections.abc import Mapping

from mmengine.hooks import Hook
from mmengine.logging import print_log
from mmengine.runner import BaseLoop, CheckpointLoader, Runner

from ...registry import HOOKS
from ..submodules import submodule


@HOOKS.register_module()
class PretrainedBackboneHook(Hook):
    """Load ``backbone.init_cfg.checkpoint`` before training; every weight must be there.

    Upstream's ``Pretrained`` initialisation loads what fits and only warns of the rest: a
    full checkpoint without ``prefix`` (no key matches), or one of another depth, trains
    on from random weights, and a linear probe then measures those. Here the file may be a
    training checkpoint of any algorithm with a ``backbone``, weights named
    ``backbone.…``, with DistributedDataParallel's ``module.`` before them, or extracted ones
    without a prefix; what does not fit is an error with the keys of both sides.

    Nothing is loaded where the weights come from elsewhere: when testing, when resuming, and
    with ``load_from``.

    Args:
        module: Dotted name of the backbone in the (unwrapped) model. Default
            ``'backbone'``.

    Raises:
        ValueError: No checkpoint is named, it does not fit, or there is no such module.
        FileNotFoundError: The checkpoint does not exist.
    """

    priority = 'VERY_HIGH'  # before hooks that copy the model

    def __init__(self, *, module: str = 'backbone') -> None:
        self.module = module

    def before_run(self, runner: Runner) -> None:
        """Load the weights in place of the initialisation, which comes next."""
        # not at the top: hooks are imported long before an evaluation is
        from ...evaluation.networks.checkpoint_weights import load_backbone_weights

        backbone = submodule(runner.model, self.module)
        if not isinstance(runner._train_loop, BaseLoop) or getattr(backbone, 'is_init', False):
            return  # testing, or testing behind training
        init_cfg = getattr(backbone, 'init_cfg', None)
        if runner._load_from is not None:
            backbone.init_cfg = None  # type: ignore[assignment]
            return
        path = init_cfg.get('checkpoint') if isinstance(init_cfg, Mapping) else None
        option = f'--cfg-options model.{self.module}.init_cfg.checkpoint=FILE'
        if not path:
            raise ValueError(f'no pre-trained weights: name the checkpoint with {option}')
        content = CheckpointLoader.load_checkpoint(path, map_location='cpu')
        load_backbone_weights(
            backbone,
            content.get('state_dict', content),
            path,
            remedy=f'Name a checkpoint of this backbone ({type(backbone).__name__}) with {option}',
        )
        backbone.is_init = True  # type: ignore[assignment]
        print_log(f'{self.module}: all weights from {path}', logger='current')
