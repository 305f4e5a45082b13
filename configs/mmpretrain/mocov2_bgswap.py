# configs/mocov2_bgswap.py over mmpretrain: MoCo-v2, swapped backgrounds and
# background-matched negatives.
# Source: Ryali et al. 2021, BG_Swaps: a negative that shares the query's background.
# Ours: one negative a query, from the neighbour in the batch; extra logit, not enqueued.
_base_ = [
    'mmpretrain::mocov2/mocov2_resnet50_8xb32-coslr-200e_in1k.py',
    '../_base_/views/background_swap.py',
]
from bgaug_mm.datasets.device_views import background_preprocessor
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, scope='mmpretrain', pack_masks=True)
model = dict(
    type='bgaug_mm.MatchedNegativesMoCo',
    backend='mmpretrain',
    data_preprocessor=background_preprocessor(_base_, append_masks=True))
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
