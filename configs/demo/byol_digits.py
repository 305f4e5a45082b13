# Plain BYOL on a small world.
_base_ = [
    'mmselfsup::selfsup/_base_/models/byol.py',
    'mmselfsup::selfsup/_base_/default_runtime.py',
    '../_base_/datasets/world.py',
    '../_base_/models/tiny_resnet18.py',
    '../_base_/schedules/adamw_coslr_30e.py',
]

model = dict(
    backbone=_base_.tiny_resnet18,
    neck=dict(in_channels=128, hid_channels=512, out_channels=128),
    head=dict(predictor=dict(in_channels=128, hid_channels=512, out_channels=128)))

default_hooks = dict(
    logger=dict(interval=4),
    checkpoint=dict(interval=1, max_keep_ckpts=1),
    sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
custom_hooks = [dict(type='bgaug_mm.CollapseHook', interval=4)]
randomness = dict(seed=0)
