# SimCLR with swapped backgrounds on a small world: the treated run of the demo.
_base_ = ['simclr_digits.py', '../_base_/views/background_swap_strong.py']
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(_base_.train_dataloader, _base_.background_op)
