# configs/benchmarks/finetune_resnet50_1percent.py over mmpretrain, which has no such recipe.
_base_ = 'linear_resnet50_sgd_100e.py'
model = dict(backbone=dict(frozen_stages=-1, norm_cfg=dict(type='SyncBN')))
train_dataloader = dict(batch_size=64, dataset=dict(
    _delete_=True,
    type='bgaug_mm.ImageNameSubset',
    names='meta/1percent.txt',
    source='https://raw.githubusercontent.com/google-research/simclr/master/imagenet_subsets/1percent.txt',
    dataset=_base_.train_dataloader.dataset))
optim_wrapper = dict(
    optimizer=dict(lr=0.01, weight_decay=5e-4),
    paramwise_cfg=dict(custom_keys={'head': dict(lr_mult=100.)}))
param_scheduler = [dict(type='MultiStepLR', by_epoch=True, milestones=[12, 16], gamma=0.2)]
train_cfg = dict(max_epochs=20)
