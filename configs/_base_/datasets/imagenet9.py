# ImageNet-9; other sets: test_dataloader.dataset.subset=mixed_same (original, mixed_next,
# only_fg, only_bg_b, only_bg_t, no_fg).
_base_ = './robustness_cropped.py'

test_dataloader = dict(
    dataset=dict(
        type='bgaug_mm.ImageNet9',
        data_root='data/bg_challenge',
        subset='mixed_rand',
        label_map='in_to_in9.json'))
