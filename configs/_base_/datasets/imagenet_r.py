# ImageNet-R: renditions of 200 of ImageNet's classes.
_base_ = './robustness.py'

test_dataloader = dict(
    dataset=dict(
        type='bgaug_mm.ImageNetR', data_root='data/imagenet-r', wnids='data/imagenet/train'))
