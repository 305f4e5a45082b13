# configs/byol_bgswap.py over mmpretrain: BYOL (R50, 200 epochs), swapped backgrounds.
# Upstream's recipe is 16x256; 8 GPUs keep its batch of 4096 by accumulating two steps.
_base_ = [
    'mmpretrain::byol/byol_resnet50_16xb256-coslr-200e_in1k.py',
    '../_base_/views/background_swap.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain')
optim_wrapper = dict(type='AmpOptimWrapper', loss_scale=512., accumulative_counts=2)
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
