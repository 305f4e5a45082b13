# BackgroundSwap at p = 0.5: at toy scale the stronger setting shows the effect
# within minutes; on ImageNet the published range is 0.1-0.3.
background_op = dict(
    type='bgaug_mm.BackgroundSwap',
    prob=0.5,
    background=dict(type='bgaug_mm.RecentBackground'))
