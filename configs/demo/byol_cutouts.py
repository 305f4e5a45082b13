# Plain BYOL on photographic cut-outs over textures (make_cutouts_on_textures.py):
# photographs may be mirrored, and cropped closer than digits.
_base_ = 'byol_digits.py'

view_pipeline = [
    dict(type='RandomResizedCrop', size=48, scale=(0.3, 1.0)),
    dict(type='RandomFlip', prob=0.5),
    *_base_.view_pipeline[1:],
]
train_pipeline = [*_base_.train_pipeline]
train_pipeline[2] = dict(train_pipeline[2], transforms=[view_pipeline])
train_dataloader = dict(
    dataset=dict(data_root='data/cutouts_on_textures/', pipeline=train_pipeline))
