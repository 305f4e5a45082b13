# DINO with ResNet-50 (8x64, 100 epochs): SGD, constant weight decay, smaller crops.
# Source: Caron et al. 2021 (arXiv 2104.14294), released command (0.03 for each 256 images).
_base_ = 'dino.py'

global_crop = dict(_base_.global_crop, scale=(0.14, 1.0))
local_crop = dict(_base_.local_crop, scale=(0.05, 0.14))
_base_.train_pipeline[2].transforms = [
    [global_crop, *_base_.global_pipeline1[1:]],
    [global_crop, *_base_.global_pipeline2[1:]],
    [local_crop, *_base_.local_pipeline[1:]],
]
train_dataloader = dict(dataset=dict(pipeline=_base_.train_pipeline))

model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.ResNet',
        depth=50,
        norm_cfg=dict(type='SyncBN'),
        zero_init_residual=False),
    head=dict(in_channels=2048))
optim_wrapper = dict(
    optimizer=dict(_delete_=True, type='SGD', lr=0.06, momentum=0.9, weight_decay=1e-4))
param_scheduler = _base_.param_scheduler[:2]
