# A world: OUT/<set>/<class>/*.png with OUT/<set>_masks/<class>/*.png, as made by
# tools/dataset_converters/make_digits_on_photos.py (or make_cutouts_on_textures.py).
# One value moves it: --data OUT, or train_dataloader.dataset.data_root=OUT.
data_root = 'data/digits_on_photos/'

# no flip: a mirrored 2 is no 2
view_pipeline = [
    dict(type='RandomResizedCrop', size=48, scale=(0.5, 1.0)),
    dict(
        type='RandomApply',
        transforms=[
            dict(
                type='bgaug_mm.ColorJitter',
                brightness=0.4, contrast=0.4, saturation=0.4, hue=0.1)
        ],
        prob=0.8),
    dict(
        type='bgaug_mm.RandomGrayscale',
        prob=0.2,
        keep_channels=True,
        channel_weights=(0.114, 0.587, 0.2989)),
    dict(type='bgaug_mm.RandomGaussianBlur', sigma_min=0.1, sigma_max=1.0, prob=0.2),
]

train_pipeline = [
    dict(type='bgaug_mm.SeedSample'),
    dict(type='LoadImageFromFile'),
    dict(type='bgaug_mm.MultiView', num_views=2, transforms=[view_pipeline]),
    dict(type='PackSelfSupInputs', meta_keys=['img_path']),
]

train_dataloader = dict(
    batch_size=256,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='bgaug_mm.default_collate'),
    dataset=dict(
        type='mmcls.CustomDataset',
        data_root=data_root,
        data_prefix='train',
        pipeline=train_pipeline))
