# BG_Random / BG_Swaps of Ryali et al. 2021 without the matched negatives: the
# foreground over the infilled background of a recently seen image.
# prob: 0.1-0.3 per view is the published range; source and guard are our choice.
background_op = dict(
    type='bgaug_mm.BackgroundSwap',
    prob=0.2,
    background=dict(type='bgaug_mm.RecentBackground'))
