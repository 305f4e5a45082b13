# Linear probe on a frozen ViT-S/16 (DINO, iBOT), MoCo-v3's protocol: SGD, lr 12, 8x128, 90 epochs.
# The weights: --cfg-options model.backbone.init_cfg.checkpoint=FILE
_base_ = 'mmpretrain::mocov3/benchmarks/vit-small-p16_8xb128-linear-coslr-90e_in1k.py'
model = dict(
    backbone=dict(
        _delete_=True,
        type='mmpretrain.VisionTransformer',
        arch='deit-small',
        img_size=224,
        patch_size=16,
        frozen_stages=12,
        init_cfg=dict(type='Pretrained', checkpoint='')))
custom_hooks = [dict(type='bgaug_mm.PretrainedBackboneHook')]
