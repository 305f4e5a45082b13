# MoCo-v2 with swapped backgrounds and background-matched negatives on a small world.
_base_ = ['mocov2_digits.py', '../_base_/views/background_swap_strong.py']
from bgaug_mm.datasets.device_views import background_preprocessor
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, pack_masks=True)
model = dict(
    type='bgaug_mm.MatchedNegativesMoCo',
    backend='mmselfsup',
    data_preprocessor=background_preprocessor(_base_, append_masks=True))
