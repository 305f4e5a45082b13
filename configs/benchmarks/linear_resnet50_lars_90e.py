# Linear probe on a frozen ResNet-50: LARS, lr 1.6, cosine (SimSiam's), 8x512, 90 epochs.
# The weights: --cfg-options model.backbone.init_cfg.checkpoint=FILE
_base_ = 'mmselfsup::benchmarks/classification/imagenet/resnet50_linear-8xb512-coslr-90e_in1k.py'
model = dict(backbone=dict(init_cfg=dict(type='Pretrained', checkpoint='')))
custom_hooks = [dict(type='bgaug_mm.PretrainedBackboneHook')]
