# Plain BYOL on a small world. Against collapse at this size: small batches (many
# steps of the moving average), a faster average and a BN behind the projector
# (docs/demo.md).
_base_ = [
    'mmselfsup::selfsup/_base_/models/byol.py',
    'mmselfsup::selfsup/_base_/default_runtime.py',
    '../_base_/datasets/world.py',
    '../_base_/models/tiny_resnet18.py',
    '../_base_/schedules/adamw_coslr_40e.py',
]

model = dict(
    base_momentum=0.97,
    backbone=_base_.tiny_resnet18,
    neck=dict(in_channels=128, hid_channels=512, out_channels=128, with_last_bn=True),
    head=dict(predictor=dict(in_channels=128, hid_channels=512, out_channels=128)))

train_dataloader = dict(batch_size=32)
optim_wrapper = dict(optimizer=dict(lr=1e-3))
default_hooks = dict(
    logger=dict(interval=32),
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='bgaug_mm.SampleSeedHook'),
    channels_last=dict(type='bgaug_mm.ChannelsLastHook'))
custom_hooks = [dict(type='bgaug_mm.CollapseHook', interval=32)]
randomness = dict(seed=0)
