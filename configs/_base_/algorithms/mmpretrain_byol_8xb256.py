# mmpretrain's BYOL is 16x256; 8 GPUs keep its batch of 4096 by accumulating two steps.
_base_ = 'mmpretrain::byol/byol_resnet50_16xb256-coslr-200e_in1k.py'
optim_wrapper = dict(type='AmpOptimWrapper', loss_scale=512., accumulative_counts=2)
