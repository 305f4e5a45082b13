# One round of learning from a handcrafted cue: its maps train a network, whose averaged
# predictions are the next round's maps (tools/saliency/learn_saliency.py runs all rounds).
_base_ = [
    'mmpretrain::_base_/default_runtime.py',
    '../_base_/datasets/saliency_masks.py',
    '../_base_/schedules/adamw_coslr_6e.py',
]

model = dict(
    type='bgaug_mm.SaliencyLearner',
    network=dict(type='bgaug_mm.SaliencyNet', encoder=dict(type='bgaug_mm.SaliencyEncoder')))

default_hooks = dict(
    logger=dict(interval=10),
    checkpoint=dict(interval=1, max_keep_ckpts=2),
    sampler_seed=dict(type='bgaug_mm.SampleSeedHook'))
custom_hooks = [dict(type='bgaug_mm.AveragePredictionsHook', size=128)]
randomness = dict(seed=0)
