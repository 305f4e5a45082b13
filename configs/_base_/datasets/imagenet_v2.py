# ImageNet-V2, the test set of matched frequency.
_base_ = './robustness.py'

test_dataloader = dict(
    dataset=dict(
        type='bgaug_mm.ImageNetV2', data_root='data/imagenetv2-matched-frequency-format-val'))
