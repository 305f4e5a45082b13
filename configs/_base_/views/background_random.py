# BG_Random: the foreground over the background of a random image of the dataset.
# Source: Ryali et al. 2021 (arXiv 2103.12719), BG_Random; p 0.1 to 0.3 per view.
# Ours: donor pool (the whole dataset), infill (tiled border strip), share limits, order.
background_op = dict(
    type='bgaug_mm.BackgroundSwap',
    prob=0.2,
    background=dict(type='bgaug_mm.DonorBackground'))
