# One part of ImageNet-C; others: test_dataloader.dataset.corruption=fog, …severity=1.
_base_ = './robustness_cropped.py'

test_dataloader = dict(
    dataset=dict(
        type='bgaug_mm.ImageNetC',
        data_root='data/imagenet-c',
        corruption='gaussian_noise',
        severity=3,
        wnids='data/imagenet/train'))
