# demo/mocov2_bgswap_digits.py over mmpretrain: the same views, model and loss, without
# mmselfsup (mmpretrain's momentum is the share that is new).
_base_ = [
    'mmpretrain::_base_/default_runtime.py',
    '../../_base_/datasets/world.py',
    '../../_base_/models/tiny_resnet18.py',
    '../../_base_/schedules/adamw_coslr_20e.py',
    '../../_base_/views/background_swap_strong.py',
]
from bgaug_mm.datasets.views import with_background_op

train_dataloader = with_background_op(
    _base_.train_dataloader, _base_.background_op, pack_masks=True)
train_dataloader['batch_size'] = 64
train_dataloader['dataset']['dataset']['type'] = 'mmpretrain.CustomDataset'

model = dict(
    type='bgaug_mm.MatchedNegativesMoCo',
    backend='mmpretrain',
    queue_len=1024,
    feat_dim=128,
    momentum=0.01,
    data_preprocessor=dict(
        type='bgaug_mm.BackgroundDataPreprocessor',
        append_masks=True,
        mean=(123.675, 116.28, 103.53),
        std=(58.395, 57.12, 57.375),
        bgr_to_rgb=True),
    backbone={**_base_.tiny_resnet18, 'type': 'ResNet'},
    neck=dict(
        type='NonLinearNeck',
        in_channels=128,
        hid_channels=256,
        out_channels=128,
        num_layers=2,
        with_avg_pool=True),
    head=dict(type='ContrastiveHead', loss=dict(type='CrossEntropyLoss'), temperature=0.2))
model['backbone'].pop('_delete_')

default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='bgaug_mm.SampleSeedHook'),
    channels_last=dict(type='bgaug_mm.ChannelsLastHook'))
custom_hooks = [dict(type='bgaug_mm.CollapseHook', interval=10)]
randomness = dict(seed=0)
