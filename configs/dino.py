# DINO with ViT-S/16 (8x64, 100 epochs).
_base_ = [
    'mmpretrain::_base_/default_runtime.py',
    '_base_/datasets/imagenet_multi_crop.py',
    '_base_/models/dino_vit_small.py',
    '_base_/schedules/dino_adamw_100e.py',
]
default_hooks = dict(sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
