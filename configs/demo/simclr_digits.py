# Plain SimCLR on a small world: the base run of the demo.
_base_ = [
    'mmselfsup::selfsup/_base_/models/simclr.py',
    'mmselfsup::selfsup/_base_/default_runtime.py',
    '../_base_/datasets/world.py',
    '../_base_/models/tiny_resnet18.py',
    '../_base_/schedules/adamw_coslr_20e.py',
]

model = dict(
    backbone=_base_.tiny_resnet18,
    neck=dict(in_channels=128, hid_channels=256, out_channels=128),
    head=dict(temperature=0.2))

default_hooks = dict(
    logger=dict(interval=4),
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='bgaug_mm.SampleSeedHook'),
    channels_last=dict(type='bgaug_mm.ChannelsLastHook'))
custom_hooks = [dict(type='bgaug_mm.CollapseHook', interval=4)]
randomness = dict(seed=0)
