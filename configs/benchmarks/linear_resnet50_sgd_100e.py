# Linear probe on a frozen ResNet-50: SGD, lr 30, steps at 60 and 80 (MoCo's), 8x32, 100 epochs.
# The weights: --cfg-options model.backbone.init_cfg.checkpoint=FILE
_base_ = 'mmselfsup::benchmarks/classification/imagenet/resnet50_linear-8xb32-steplr-100e_in1k.py'
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='')))
custom_hooks = [dict(type='bgaug_mm.PretrainedBackboneHook')]
