# ImageNet-A: 200 of ImageNet's classes.
_base_ = './robustness.py'

test_dataloader = dict(
    dataset=dict(
        type='bgaug_mm.ImageNetA', data_root='data/imagenet-a', wnids='data/imagenet/train'))
