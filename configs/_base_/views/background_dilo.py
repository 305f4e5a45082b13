# DiLo: the foreground, its edge softened half of the time, on a grey of random level.
# Source: Zhao et al. 2021 (AAAI, arXiv 2004.06638), released example.
# Ours: blur of 5 read as sigma in pixels; share limits (the release has none).
background_op = dict(
    type='bgaug_mm.BackgroundSwap',
    prob=0.3,
    background=dict(type='bgaug_mm.GreyBackground', level='random'),
    mask_edit=dict(blur=5.0, blur_prob=0.5))
