# ImageNet-Sketch.
_base_ = './robustness.py'

test_dataloader = dict(
    dataset=dict(
        type='bgaug_mm.ImageNetSketch', data_root='data/sketch', wnids='data/imagenet/train'))
