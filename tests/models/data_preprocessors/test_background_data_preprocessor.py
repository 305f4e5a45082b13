import copy

import pytest
import torch
from mmengine.config import ConfigDict
from mmengine.logging import MessageHub
from mmengine.optim import OptimWrapper
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_flatten

from bgaug_mm.models.data_preprocessors import BackgroundDataPreprocessor
from bgaug_mm.models.data_preprocessors import background_data_preprocessor as module
from bgaug_mm.registry import MODELS

NORMALISE = dict(mean=[123.675, 116.28, 103.53], std=[58.395, 57.12, 57.375])
SWAP = dict(type='bgaug_mm.BackgroundSwap', prob=1.0)
GREY = dict(SWAP, background=dict(type='bgaug_mm.GreyBackground', level=200))
INPAINTED = dict(type='bgaug_mm.DonorBackground', infill='inpaint')
#: Background_op configs that take every path.
OPS = [
    GREY,
    dict(type='bgaug_mm.BackgroundRemove', fill='mean', mean=(1, 2, 3)),
    dict(type='bgaug_mm.BackgroundRemove', fill='noise', prob=0.5),
    dict(SWAP, background=dict(type='bgaug_mm.MeanBackground')),
    *(
        dict(SWAP, background=dict(type='bgaug_mm.DonorBackground', infill=infill))
        for infill in ('tile_strip', 'tile_rectangle', 'mean')
    ),
    dict(
        SWAP,
        prob=dict(type='cosine', start=0.9, end=0.1),
        background=dict(
            type='bgaug_mm.MixtureBackground',
            backgrounds=[
                dict(type='bgaug_mm.GreyBackground'),
                dict(type='bgaug_mm.RecentBackground'),
            ],
        ),
        mask_edit=dict(threshold=9, dilate=1, blur=1.0, blur_prob=0.5),
    ),
    dict(SWAP, mask_edit=dict(as_box=True)),
]


def views_of(count=6, sizes=(24, 24), seed=0, masks=True):
    """Views whose upper left quarter is foreground."""
    generator = torch.Generator().manual_seed(seed)
    views = []
    for size in sizes:
        view = torch.randint(256, (count, 4, size, size), generator=generator, dtype=torch.uint8)
        view[:, 3] = 0
        view[:, 3, : size // 2, : size // 2] = 255
        views.append(view if masks else view[:, :3])
    return views


def run(preprocessor, views, seed=0, training=True):
    torch.manual_seed(seed)
    return preprocessor(dict(inputs=views, data_samples=['s']), training)


def changed(preprocessor, views):
    """For each view whether it differs from what comes out without an operation."""
    plain = run(BackgroundDataPreprocessor(**NORMALISE), views)['inputs']
    return [
        not torch.equal(a, b)
        for a, b in zip(run(preprocessor, views)['inputs'], plain, strict=True)
    ]


@pytest.mark.parametrize('conversion', [{}, dict(bgr_to_rgb=True), dict(to_rgb=True)], ids=str)
@pytest.mark.parametrize('normalise', [{}, NORMALISE], ids=['pixels', 'normalised'])
def test_a_grey_background_by_hand(conversion, normalise):
    (view,) = views = views_of(sizes=(24,))
    out = run(BackgroundDataPreprocessor(background_op=GREY, **conversion, **normalise), views)
    assert out['data_samples'] == ['s'] and len(out['inputs']) == 1
    expected = view[:, :3].float()
    expected[:, :, 12:], expected[:, :, :, 12:] = 200, 200
    if conversion:
        expected = expected.flip(1)
    if normalise:
        mean, std = (torch.tensor(NORMALISE[key]).view(3, 1, 1) for key in ('mean', 'std'))
        expected = (expected - mean) / std
    assert out['inputs'][0].dtype == torch.float32 and torch.equal(out['inputs'][0], expected)


def test_a_given_colour_stays_in_the_order_of_the_config():
    op = dict(SWAP, background=dict(type='bgaug_mm.MeanBackground', mean=(10, 20, 30)))
    out = run(BackgroundDataPreprocessor(background_op=op, to_rgb=True), views_of())
    assert out['inputs'][0][0, :, -1, -1].tolist() == [30, 20, 10]


@pytest.mark.parametrize('op', OPS, ids=str)
def test_after_normalisation_is_the_same_up_to_rounding(op):
    views = views_of()
    options = dict(NORMALISE, background_op=op, bgr_to_rgb=True)
    before = run(BackgroundDataPreprocessor(**options), views)['inputs']
    after = run(BackgroundDataPreprocessor(**options, after_normalisation=True), views)['inputs']
    for a, b in zip(before, after, strict=True):
        levels = (a - b).abs() * torch.tensor(NORMALISE['std']).view(3, 1, 1)
        assert levels.max() <= 0.51


class NoWaiting(TorchDispatchMode):
    """Refuses what sends numbers to the device `meta` in a way that waits on a real one."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        devices = {leaf.device.type for leaf in tree_flatten(args)[0] if torch.is_tensor(leaf)}
        name = func.overloadpacket.__name__
        if name == '_to_copy' and devices == {'cpu'} and str(kwargs.get('device')) == 'meta':
            assert kwargs.get('non_blocking'), 'a copy from the host waits'
        elif name in ('index', 'index_put', 'where', 'copy_'):
            assert len(devices) == 1, f'{name} waits for a copy from the host'
        return func(*args, **kwargs)


@pytest.mark.parametrize('op', OPS, ids=str)
def test_never_asks_the_device_for_a_value(op):
    """On the device `meta` tensors have shapes and no values: whoever reads one fails."""
    for after in (False, True):
        preprocessor = BackgroundDataPreprocessor(
            background_op=op, after_normalisation=after, append_masks=True, **NORMALISE
        ).to('meta')
        views = [view.to('meta') for view in views_of()]
        with NoWaiting():
            out = run(preprocessor, views)['inputs']
        assert [tensor.device.type for tensor in out] == ['meta'] * 4
    with pytest.raises((RuntimeError, NotImplementedError)):
        bool(out[0].any())  # what the test relies on
    with pytest.raises(AssertionError, match='waits'), NoWaiting():
        torch.zeros(2).to('meta')


@pytest.mark.skipif(not torch.cuda.is_available(), reason='needs a CUDA device')
@pytest.mark.parametrize('op', OPS, ids=str)
def test_never_waits_for_a_cuda_device_and_gives_what_the_cpu_gives(op):
    options = dict(background_op=op, append_masks=True, **NORMALISE)
    views = [view.cuda() for view in views_of()]
    on_device = BackgroundDataPreprocessor(**options).cuda()
    run(on_device, views)
    torch.cuda.set_sync_debug_mode('error')
    try:
        out = run(on_device, views)['inputs']
    finally:
        torch.cuda.set_sync_debug_mode('default')
    if op.get('fill') != 'noise':  # drawn on the device
        for a, b in zip(
            out, run(BackgroundDataPreprocessor(**options), views_of())['inputs'], strict=True
        ):
            assert ((a.cpu() - b).abs() * 58).max() <= 1.1


def test_a_folder_is_decoded_before_the_device_is_needed(tmp_path):
    import cv2
    import numpy as np

    for i in range(3):
        cv2.imwrite(str(tmp_path / f'{i}.png'), np.full((30, 40, 3), 10 * i, np.uint8))
    op = dict(SWAP, background=dict(type='bgaug_mm.FolderBackground', root=str(tmp_path)))
    preprocessor = BackgroundDataPreprocessor(background_op=op, bank_size=2)
    out = run(preprocessor, views_of())['inputs'][0]
    assert set(out[:, 0, -1, -1].tolist()) == {0, 10}  # of three files the first two
    preprocessor.to('meta')
    assert run(preprocessor, [v.to('meta') for v in views_of()])['inputs'][0].is_meta


def test_deterministic_under_a_seed_and_autocast():
    views = views_of()
    preprocessor = BackgroundDataPreprocessor(background_op=OPS[-2], **NORMALISE)
    first = run(preprocessor, views, seed=3)['inputs']
    with torch.autocast('cpu', torch.bfloat16):  # a training step preprocesses under it
        again = run(preprocessor, views, seed=3)['inputs']
    other = run(preprocessor, views, seed=4)['inputs']
    for a, b, c in zip(first, again, other, strict=True):
        assert b.dtype == torch.float32 and torch.equal(a, b) and not torch.equal(a, c)


def test_neither_the_views_nor_the_config_are_written_into():
    views, op = views_of(), ConfigDict(copy.deepcopy(OPS[-2]))
    before, config = [view.clone() for view in views], copy.deepcopy(op)
    preprocessor = BackgroundDataPreprocessor(background_op=op)
    run(preprocessor, views)
    assert all(map(torch.equal, views, before)) and op == config
    # a copied model (a moving average of it) goes on by itself
    copied = run(copy.deepcopy(preprocessor), views)['inputs']
    assert all(map(torch.equal, copied, run(preprocessor, views)['inputs']))
    assert not preprocessor.state_dict()


@pytest.mark.parametrize(
    ('views', 'expected'),
    [
        ('all', [1, 1, 1]),
        ('first', [1, 0, 0]),
        ('large', [0, 1, 1]),
        ([0, 2], [1, 0, 1]),
        ([], [0, 0, 0]),
    ],
    ids=str,
)
def test_which_views(views, expected):
    preprocessor = BackgroundDataPreprocessor(background_op=GREY, views=views, **NORMALISE)
    assert changed(preprocessor, views_of(sizes=(16, 24, 24))) == [bool(e) for e in expected]


def test_no_operation_when_not_training():
    views = views_of()
    preprocessor = BackgroundDataPreprocessor(background_op=GREY, append_masks=True)
    out = run(preprocessor, views, training=False)['inputs']
    assert [o.tolist() for o in out] == [v[:, :3].float().tolist() for v in views]


def test_masks_follow_the_views_as_they_came():
    views = views_of(sizes=(24, 16))
    op = dict(GREY, mask_edit=dict(dilate=3))
    out = run(BackgroundDataPreprocessor(background_op=op, append_masks=True), views)['inputs']
    assert [tuple(tensor.shape[1:]) for tensor in out] == [
        (3, 24, 24), (3, 16, 16), (1, 24, 24), (1, 16, 16),
    ]  # fmt: skip
    assert all(torch.equal(m * 255, v[:, 3:].float()) for m, v in zip(out[2:], views, strict=True))


def test_other_forms_of_input():
    (view,) = views_of(sizes=(24,), masks=False)
    expected = view.float()
    preprocessor = BackgroundDataPreprocessor()
    for inputs in (view, list(view), torch.cat([view, view[:, :1]], 1)):
        assert torch.equal(run(preprocessor, inputs, training=False)['inputs'], expected)
    for inputs in ([view], (view,), [list(view)]):
        (out,) = run(preprocessor, inputs, training=False)['inputs']
        assert torch.equal(out, expected)
    assert preprocessor(dict(inputs=view))['data_samples'] is None


def test_an_operation_without_masks_is_told_once(monkeypatch):
    told = []
    monkeypatch.setattr(module, 'print_log', lambda message, **_: told.append(message))
    preprocessor = BackgroundDataPreprocessor(background_op=GREY, **NORMALISE)
    assert changed(preprocessor, views_of(masks=False)) == [False, False]
    run(preprocessor, views_of(masks=False))
    assert len(told) == 1 and 'PackSaliencyInputs' in told[0]


@pytest.mark.parametrize(
    ('options', 'message'),
    [
        (dict(views='second'), "'first', 'large' or indices, but got 'second'"),
        (dict(views=[-1]), r'`views` must be indices from 0, but got \[-1\]'),
        (dict(bank_size=0), '`bank_size` must be at least 1, but got 0'),
        (dict(background_op=dict(type='bgaug_mm.LoadSaliencyMask')), 'but got LoadSaliencyMask'),
        (
            dict(background_op=dict(SWAP, background=INPAINTED)),
            "`infill` must be one of .* but got 'inpaint'",
        ),
    ],
)
def test_bad_options(options, message):
    with pytest.raises(ValueError, match=message):
        BackgroundDataPreprocessor(**options)


@pytest.mark.parametrize(
    ('data', 'message'),
    [
        ([1], 'needs a dict with `inputs`, but got list'),
        (dict(img=1), r"needs a dict with `inputs`, but got \['img'\]"),
        (dict(inputs=[]), '`inputs` must be a tensor or a list'),
        (dict(inputs=[torch.zeros(2, 5, 8, 8)]), r'but got the shape \(2, 5, 8, 8\)'),
        (dict(inputs=[torch.zeros(2, 4, 8, 8)]), 'must be uint8, but got torch.float32'),
        (dict(inputs=[torch.zeros(3, 8, 8), torch.zeros(3, 8, 9)]), 'must have one shape'),
        (dict(inputs=views_of(masks=False)), '`append_masks` needs the masks as the fourth'),
        (dict(inputs=views_of(sizes=(24,))), r'indices of the 1 views, but got \[0, 1\]'),
    ],
)
def test_bad_inputs(data, message):
    preprocessor = BackgroundDataPreprocessor(background_op=GREY, views=[0, 1], append_masks=True)
    with pytest.raises(ValueError, match=message):
        preprocessor(data, True)


@pytest.fixture(params=['mmselfsup', 'mmpretrain'])
def backend(request):
    shared = {'mmselfsup': 'mmcls', 'mmpretrain': 'mmpretrain'}[request.param]
    for library in {request.param, shared}:
        __import__(f'{library}.models')
    return request.param, shared


def byol(backend, data_preprocessor):
    library, shared = backend
    mlp = dict(
        type=f'{library}.NonLinearNeck', hid_channels=8, out_channels=8, num_layers=2,
        with_avg_pool=False,
    )  # fmt: skip
    torch.manual_seed(0)
    return MODELS.build(
        dict(
            type=f'{library}.BYOL',
            backbone=dict(
                type=f'{shared}.ResNet', depth=18, stem_channels=4, base_channels=4,
                out_indices=(3,), norm_cfg=dict(type='BN'),
            ),
            neck=dict(mlp, in_channels=32, with_avg_pool=True),
            head=dict(
                type=f'{library}.LatentPredictHead',
                loss=dict(type=f'{library}.CosineSimilarityLoss'),
                predictor=dict(mlp, in_channels=8),
            ),
            data_preprocessor=data_preprocessor,
        )
    )  # fmt: skip


def test_trains_upstreams_byol(backend):
    MessageHub.get_current_instance().update_info('max_iters', 10)  # for the moving average
    conversion = {'mmselfsup': 'bgr_to_rgb', 'mmpretrain': 'to_rgb'}[backend[0]]
    options = {**NORMALISE, conversion: True, 'non_blocking': True}
    ours = dict(options, type='bgaug_mm.BackgroundDataPreprocessor')
    plain = byol(backend, dict(options, type=f'{backend[0]}.SelfSupDataPreprocessor'))
    views = views_of(sizes=(32, 32))
    losses = {}
    for name, model, inputs in (
        ('upstream', plain, [view[:, :3] for view in views]),
        ('no operation', byol(backend, ours), views),
        ('operation', byol(backend, dict(ours, background_op=GREY)), views),
    ):
        model.train()
        optimiser = OptimWrapper(torch.optim.SGD(model.parameters(), 0.1))
        torch.manual_seed(0)
        data = dict(inputs=inputs, data_samples=[])
        losses[name] = [float(model.train_step(data, optimiser)['loss']) for _ in range(2)]
    assert losses['upstream'] == losses['no operation'] != losses['operation']
    # what they take when extracting features
    single = views[0][:, :3]
    expected = plain.data_preprocessor(dict(inputs=[single], data_samples=[]))
    expected = expected['inputs'] if isinstance(expected, dict) else expected[0]
    out = model.data_preprocessor(dict(inputs=[single], data_samples=[]))['inputs']
    assert torch.equal(out[0], expected[0])
