import cv2
import numpy as np
import pytest
import torch
from mmengine.config import Config
from torch import nn

import bgaug_mm  # noqa: F401
from bgaug_mm.evaluation import (
    FrozenBackbone,
    build_frozen_backbone,
    extract_features,
    load_frozen_backbone,
)
from bgaug_mm.evaluation.networks.classifier import load_classifier
from bgaug_mm.evaluation.networks.features import read_image
from bgaug_mm.evaluation.robustness.image_batches import centre_view

BACKBONE = {'depth': 18, 'base_channels': 4, 'stem_channels': 4, 'out_indices': (2, 3)}
MEAN, STD = [123.675, 116.28, 103.53], [58.395, 57.12, 57.375]


def simclr_config():
    return Config({
        'default_scope': 'mmselfsup',
        'model': {
            'type': 'SimCLR',
            'data_preprocessor': {'mean': MEAN, 'std': STD, 'bgr_to_rgb': True},
            'backbone': {
                'type': 'ResNet', 'norm_cfg': {'type': 'BN'}, **BACKBONE,
                'out_indices': (3, 4),  # mmselfsup counts the stem as 0
            },
            'neck': {
                'type': 'NonLinearNeck', 'in_channels': 32, 'hid_channels': 8, 'out_channels': 8,
                'num_layers': 2, 'with_avg_pool': True,
            },
            'head': {
                'type': 'ContrastiveHead',
                'loss': {'type': 'mmcls.CrossEntropyLoss'},
                'temperature': 0.1,
            },
        },
    })  # fmt: skip


def classifier_config(scope):
    return Config({
        'default_scope': scope,
        'data_preprocessor': {'mean': MEAN, 'std': STD, 'to_rgb': True},
        'model': {
            'type': 'ImageClassifier',
            'backbone': {'type': 'ResNet', **BACKBONE},
            'neck': {'type': 'GlobalAveragePooling'},
            'head': {
                'type': 'LinearClsHead',
                'num_classes': 3,
                'in_channels': 32,
                'loss': {'type': 'CrossEntropyLoss'},
            },
        },
    })  # fmt: skip


class Recorder(nn.Module):
    """Keeps its input; gives out whatever it was made with."""

    def __init__(self, output):
        super().__init__()
        self.output = output

    def forward(self, images):
        self.seen = images
        return self.output


def test_normalisation_and_channel_order():
    images = torch.randint(256, (2, 3, 4, 5), dtype=torch.uint8)
    backbone = Recorder(torch.zeros(2, 3))
    FrozenBackbone(backbone, mean=[1, 2, 3], std=[4, 5, 6], to_rgb=True)(images)
    for n, c, y, x in np.ndindex(2, 3, 4, 5):
        expected = (int(images[n, 2 - c, y, x]) - (c + 1)) / (c + 4)
        assert backbone.seen[n, c, y, x].item() == pytest.approx(expected, abs=1e-5)
    FrozenBackbone(backbone, to_rgb=False)(images)
    assert (backbone.seen == images).all()


def test_pooling_of_maps_tokens_and_tuples():
    maps = torch.arange(24.0).view(2, 3, 2, 2)
    expected = [[1.5, 5.5, 9.5], [13.5, 17.5, 21.5]]
    images = torch.zeros(2, 3, 4, 4, dtype=torch.uint8)

    def pooled(output):
        return FrozenBackbone(Recorder(output))(images).tolist()

    assert pooled(maps) == pooled((maps * 0, maps)) == pooled([(maps * 0, maps)]) == expected
    assert pooled(maps.flatten(2).transpose(1, 2)) == expected
    assert pooled(torch.tensor(expected)) == expected


@pytest.mark.parametrize(
    'config',
    [simclr_config(), classifier_config('mmpretrain'), classifier_config('mmcls')],
    ids=['mmselfsup', 'mmpretrain', 'mmcls'],
)
def test_backbones_of_all_libraries(config, tmp_path):
    before, state = config.to_dict(), torch.get_rng_state()
    frozen = build_frozen_backbone(config, seed=3)
    assert config.to_dict() == before
    assert (torch.get_rng_state() == state).all()
    assert frozen.to_rgb
    assert frozen.mean.flatten().tolist() == pytest.approx(MEAN)
    images = torch.randint(256, (2, 3, 32, 32), dtype=torch.uint8)
    features = frozen(images)
    assert features.shape == (2, 32)
    assert not features.requires_grad
    again = build_frozen_backbone(config, seed=3)(images)
    assert (features == again).all()
    assert (features != build_frozen_backbone(config, seed=4)(images)).any()

    weights = {f'backbone.{key}': value for key, value in frozen.backbone.state_dict().items()}
    content = {
        'state_dict': {'module.head.fc': torch.zeros(2), **weights},
        'meta': {'cfg': config.pretty_text},
    }
    torch.save(content, tmp_path / 'epoch_1.pth')
    loaded = load_frozen_backbone(tmp_path / 'epoch_1.pth')
    assert (loaded(images) == features).all()
    torch.save(frozen.backbone.state_dict(), tmp_path / 'bare.pth')
    loaded = load_frozen_backbone(tmp_path / 'bare.pth', config)
    assert (loaded(images) == features).all()


def test_pretrained_weights_of_a_config_are_not_fetched():
    config = simclr_config()
    config.model.backbone.init_cfg = {'type': 'Pretrained', 'checkpoint': '/nowhere.pth'}
    assert build_frozen_backbone(config, seed=0)


def test_configs_without_model_or_backbone():
    with pytest.raises(ValueError, match='no `model`'):
        build_frozen_backbone(Config({}))
    config = Config({'model': {'type': 'ImgDataPreprocessor'}})
    with pytest.raises(ValueError, match='ImgDataPreprocessor has no `backbone`'):
        build_frozen_backbone(config)


def test_models_that_cannot_be_built(tmp_path):
    """The file, the type and near names, and what to do: from a checkpoint and from a config."""
    (tmp_path / 'x.py').write_text(simclr_config().pretty_text)
    config = Config.fromfile(tmp_path / 'x.py')
    config.model.type = 'SimCRL'
    torch.save({'state_dict': {}, 'meta': {'cfg': config.pretty_text}}, tmp_path / 'epoch_1.pth')
    for build, file in (
        (lambda: build_frozen_backbone(config), 'x.py'),
        (lambda: load_frozen_backbone(tmp_path / 'epoch_1.pth'), 'epoch_1.pth'),
        (lambda: load_classifier(tmp_path / 'epoch_1.pth'), 'epoch_1.pth'),
    ):
        with pytest.raises(ValueError) as caught:
            build()
        message = str(caught.value)
        assert message.startswith(f'{tmp_path / file}: its model SimCRL cannot be built: ')
        assert "type 'SimCRL' is not in the model registry" in message
        assert 'Did you mean ' in message and '.SimCLR' in message
        assert '`custom_imports`' in message and '--config' in message and '\n' not in message
    config.model.type = 'SimCLR'
    config.model.backbone.depht = 18
    with pytest.raises(ValueError, match=r"x\.py: its model SimCLR .* TypeError: .*'depht'"):
        build_frozen_backbone(config)
    del config.model.backbone.depht
    config.model.backbone.depth = 19
    with pytest.raises(ValueError, match='SimCLR cannot be built: KeyError: .*19'):
        build_frozen_backbone(config)
    torch.save({'state_dict': {}, 'meta': {'cfg': 'a = 1'}}, tmp_path / 'epoch_1.pth')
    with pytest.raises(ValueError, match=r'epoch_1\.pth has no `model`'):
        load_frozen_backbone(tmp_path / 'epoch_1.pth')


class ChannelMeans(nn.Module):
    def forward(self, images):
        return images.float().mean((2, 3))


def test_extract_features_in_batches(tmp_path):
    files, expected = [], []
    for i in range(5):
        image = np.full((6, 7, 3), (i, 10 * i, 200), np.uint8)
        files.append(tmp_path / f'{i}.png')
        cv2.imwrite(str(files[-1]), image)
        expected.append([i, 10 * i, 200])
    for batch_size in (1, 2, 256):
        found = extract_features(ChannelMeans(), files, batch_size=batch_size)
        assert found.tolist() == expected
    assert extract_features(ChannelMeans(), files, size=4).tolist() == expected


def test_extract_features_errors(tmp_path):
    for name, shape in (('a.png', (4, 4, 3)), ('b.png', (5, 4, 3))):
        cv2.imwrite(str(tmp_path / name), np.zeros(shape, np.uint8))
    files = [tmp_path / 'a.png', tmp_path / 'b.png']
    with pytest.raises(ValueError, match=r'different sizes \[\(4, 4, 3\), \(5, 4, 3\)\]'):
        extract_features(ChannelMeans(), files)
    assert extract_features(ChannelMeans(), files, size=3).shape == (2, 3)
    with pytest.raises(ValueError, match="the device 'cuda:99' cannot be used"):
        extract_features(ChannelMeans(), files, size=3, device='cuda:99')
    (tmp_path / 'c.png').write_bytes(b'broken')
    with pytest.raises(ValueError, match=r"c\.png' cannot be used: it is no image"):
        extract_features(ChannelMeans(), [tmp_path / 'c.png'])


def test_read_image_resizes_and_cuts_the_centre(tmp_path):
    ramp = np.zeros((40, 60, 3), np.uint8)
    ramp[..., 0] = 4 * np.arange(60)
    ramp[..., 2] = 6 * np.arange(40)[:, None]
    cv2.imwrite(str(tmp_path / 'a.png'), ramp)
    assert (read_image(tmp_path / 'a.png') == ramp).all()
    assert read_image(tmp_path / 'a.png', size=8).shape == (8, 8, 3)
    # 40x60 to 20x30, whose pixels are means of 2x2; of these the central 16x16
    half = ramp.reshape(20, 2, 30, 2, 3).mean((1, 3))
    found = read_image(tmp_path / 'a.png', size=16, short=20)
    assert found.flags.c_contiguous and found.dtype == np.uint8
    assert np.abs(found - half[2:18, 7:23]).max() <= 0.5
    shown = centre_view(ramp[..., ::-1], short=33, crop=24)[..., ::-1]  # as the sets are
    assert (read_image(tmp_path / 'a.png', size=24, short=33) == shown).all()
    large = read_image(tmp_path / 'a.png', size=80, short=80)
    assert large.shape == (80, 80, 3)
    for size in (0, -1):
        with pytest.raises(ValueError, match=f'`size` must be at least 1, but got {size}'):
            read_image(tmp_path / 'a.png', size=size)
    for options in ({'short': 20}, {'size': 21, 'short': 20}):
        with pytest.raises(ValueError, match='`short` needs a `size` of at most it, but got 20'):
            read_image(tmp_path / 'a.png', **options)
