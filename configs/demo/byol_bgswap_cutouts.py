# BYOL with swapped backgrounds on photographic cut-outs over textures.
_base_ = ['byol_cutouts.py', '../_base_/views/background_swap_strong.py']
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(_base_.train_dataloader, _base_.background_op)
