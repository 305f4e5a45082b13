# What the demos share: images of 160 to 256 px, and as many regions as those need. Not flipped:
# a mirrored digit is none.
digits = dict(
    classes=('0', '2', '6', '7'),
    shorter_side=dict(
        type='RandomChoiceResize', scales=[(256, side) for side in (160, 192, 224, 256)],
        keep_ratio=True),
    resize=dict(type='Resize', scale=(224, 224), keep_ratio=True),
    train_cfg=dict(
        rpn=dict(sampler=dict(num=64)),
        rpn_proposal=dict(nms_pre=500, max_per_img=200),
        rcnn=dict(sampler=dict(num=32))),
    test_cfg=dict(rpn=dict(nms_pre=300, max_per_img=100)))
