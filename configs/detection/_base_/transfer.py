# What all transfers share. The weights: --cfg-options checkpoint=FILE, and which=teacher for
# another network than the online one; checkpoint=random for none.
checkpoint = None
which = 'auto'
custom_hooks = [
    dict(type='bgaug_mm.PretrainedBackboneHook', new=['norm']),
    dict(type='bgaug_mm.KnownClassesHook')]

# Every norm is of the whole batch and trains.
norm = dict(type='SyncBN', requires_grad=True)
# COCO: the shorter side of a training image.
short_side_640_800 = dict(
    type='RandomChoiceResize',
    scales=[(1333, 640), (1333, 672), (1333, 704), (1333, 736), (1333, 768), (1333, 800)],
    keep_ratio=True)
