# Plain MoCo-v2 on a small world: queue and moving average of the toy size, small batches for
# more steps of that average, and SimCLR's projector: without its BN the features keep to a
# narrow cone at this size (feature_std 0.7, trained on swapped backgrounds 0.5; with it 0.99).
_base_ = [
    'mmselfsup::selfsup/_base_/models/mocov2.py',
    'mmselfsup::selfsup/_base_/default_runtime.py',
    '../_base_/datasets/world.py',
    '../_base_/models/tiny_resnet18.py',
    '../_base_/schedules/adamw_coslr_20e.py',
]

model = dict(
    queue_len=1024,
    momentum=0.99,
    backbone=_base_.tiny_resnet18,
    neck=dict(
        _delete_=True,
        type='NonLinearNeck',
        in_channels=128,
        hid_channels=256,
        out_channels=128,
        num_layers=2,
        with_avg_pool=True))

train_dataloader = dict(batch_size=64)
default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='bgaug_mm.SampleSeedHook'),
    channels_last=dict(type='bgaug_mm.ChannelsLastHook'))
custom_hooks = [dict(type='bgaug_mm.CollapseHook', interval=10)]
randomness = dict(seed=0)
