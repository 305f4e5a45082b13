# Plain SimSiam on a small world. Against collapse at this size: a low learning rate and
# a predictor that follows ten times as fast (docs/hard_views.md).
_base_ = [
    'mmselfsup::selfsup/_base_/models/simsiam.py',
    'mmselfsup::selfsup/_base_/default_runtime.py',
    '../_base_/datasets/world.py',
    '../_base_/models/tiny_resnet18.py',
    '../_base_/schedules/adamw_coslr_20e.py',
]

model = dict(
    backbone=_base_.tiny_resnet18,
    neck=dict(in_channels=128, hid_channels=512, out_channels=512),
    head=dict(predictor=dict(in_channels=512, hid_channels=128, out_channels=512)))

train_dataloader = dict(batch_size=64)
optim_wrapper = dict(
    optimizer=dict(lr=3e-4),
    paramwise_cfg=dict(custom_keys={'predictor': dict(lr_mult=10)}))
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='bgaug_mm.SampleSeedHook'),
    channels_last=dict(type='bgaug_mm.ChannelsLastHook'))
custom_hooks = [dict(type='bgaug_mm.CollapseHook', interval=10)]
randomness = dict(seed=0)
