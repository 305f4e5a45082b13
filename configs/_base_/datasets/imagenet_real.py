# ImageNet's validation images with the reassessed labels (real.json in ImageNet's folder).
_base_ = './robustness.py'

test_dataloader = dict(
    dataset=dict(type='bgaug_mm.ImageNetReaL', data_root='data/imagenet', labels='real.json'))
