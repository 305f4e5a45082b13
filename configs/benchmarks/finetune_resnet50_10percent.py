# Fine-tuning of a whole ResNet-50 on 10% of ImageNet's labels: SGD, 4x64, 20 epochs.
# The weights: --cfg-options model.backbone.init_cfg.checkpoint=FILE
# Of mmselfsup's grid (lr 1e-1, 1e-2, 1e-3; the head's 1, 10, 100 times as high) these are our
# choice: search it with optim_wrapper.optimizer.lr and
# optim_wrapper.paramwise_cfg.custom_keys.head.lr_mult.
_base_ = (
    'mmselfsup::benchmarks/classification/imagenet/imagenet_10percent/'
    'resnet50_head10_4xb64-steplr1e-2-20e_in1k-10pct.py')
train_dataloader = dict(dataset=dict(
    _delete_=True,
    type='bgaug_mm.ImageNameSubset',
    names='meta/10percent.txt',
    source='https://raw.githubusercontent.com/google-research/simclr/master/imagenet_subsets/10percent.txt',
    dataset=dict(_base_.train_dataloader.dataset, ann_file='meta/train.txt')))
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='')))
custom_hooks = [dict(type='bgaug_mm.PretrainedBackboneHook')]
