# BG_Swaps, the part that needs no negatives: backgrounds swapped among the images at hand.
# Source: Ryali et al. 2021 (arXiv 2103.12719), BG_Swaps; p 0.1 to 0.3 per view.
# Ours: donors (recent images of the worker), infill (tiled border strip), share limits, order.
background_op = dict(
    type='bgaug_mm.BackgroundSwap',
    prob=0.2,
    background=dict(type='bgaug_mm.RecentBackground'))
