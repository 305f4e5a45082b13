# ObjectNet's classes that ImageNet has too; the red border of the images is cut off.
_base_ = './robustness.py'

test_pipeline = [
    dict(type='LoadImageFromFile'),
    dict(type='bgaug_mm.CropBorder', width=2),
    dict(type='mmpretrain.ResizeEdge', scale=256, edge='short', backend='pillow'),
    dict(type='mmpretrain.CenterCrop', crop_size=224),
    dict(type='mmpretrain.PackInputs'),
]
test_dataloader = dict(
    dataset=dict(
        type='bgaug_mm.ObjectNet', data_root='data/objectnet-1.0', pipeline=test_pipeline))
