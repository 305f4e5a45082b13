# Images below images/ and a pseudo label of each below mask_root, as
# tools/saliency/learn_saliency.py lays them out.
data_root = 'data/saliency/'

train_pipeline = [
    dict(type='bgaug_mm.SeedSample'),
    dict(type='LoadImageFromFile'),
    dict(type='bgaug_mm.LoadSaliencyMask'),
    # mild: some crops cut the object, as photographs do, but along the border of most there
    # is background, which the network compares with
    dict(type='bgaug_mm.RandomResizedCrop', size=128, scale=(0.7, 1.0), min_foreground=0.2),
    dict(type='RandomFlip', prob=0.5),
    dict(
        type='bgaug_mm.ColorJitter',
        brightness=0.3, contrast=0.3, saturation=0.3, hue=0.1),
    dict(
        type='bgaug_mm.RandomGrayscale',
        prob=0.1, keep_channels=True, channel_weights=(0.114, 0.587, 0.2989)),
    dict(type='bgaug_mm.PackSaliencyInputs', with_mask=True),
]

train_dataloader = dict(
    batch_size=16,
    num_workers=1,
    persistent_workers=True,
    drop_last=True,
    sampler=dict(type='DefaultSampler', shuffle=True),
    collate_fn=dict(type='bgaug_mm.default_collate'),
    dataset=dict(
        type='bgaug_mm.SaliencyMaskDataset',
        mask_root='images_masks',
        dataset=dict(
            type='mmpretrain.CustomDataset',
            data_root=data_root,
            data_prefix='images',
            with_label=False,
            pipeline=[]),
        pipeline=train_pipeline))
