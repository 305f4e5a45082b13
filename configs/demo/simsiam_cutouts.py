# Plain SimSiam on photographic cut-outs over textures (make_cutouts_on_textures.py).
_base_ = ['simsiam_digits.py', '../_base_/views/cutouts.py']

_base_.train_pipeline[2].transforms = [[*_base_.cutout_geometry, *_base_.view_pipeline[1:]]]
train_dataloader = dict(
    dataset=dict(data_root='data/cutouts_on_textures/', pipeline=_base_.train_pipeline))
