"""The shipped dataset configs on data as their users lay it out, below data/."""

import pytest
import torch
from mmengine.config import Config
from mmengine.registry import DATASETS, init_default_scope
from mmengine.runner import Runner

import bgaug_mm  # noqa: F401
from bgaug_mm.evaluation import evaluate_robustness
from bgaug_mm.evaluation.networks.classifier import load_classifier

pytest.importorskip('mmpretrain')

#: Config → samples, and the side of an image: 224, or as the layouts write it.
CONFIGS = {
    'imagenet9': (18, 8),
    'imagenet_a': (200, 224),
    'imagenet_r': (200, 224),
    'imagenet_sketch': (1000, 224),
    'imagenet_v2': (1000, 224),
    'imagenet_real': (750, 224),
    'imagenet_c': (1000, 8),
    'objectnet': (4, 224),
}


@pytest.fixture(scope='module')
def root(layouts, tmp_path_factory):
    root = tmp_path_factory.mktemp('work')
    data = root / 'data'
    layouts.imagenet(data)
    layouts.imagenet_real(data)
    layouts.imagenet9(data)
    layouts.imagenet_a(data)
    layouts.imagenet_a(data, 'imagenet-r')
    layouts.imagenet_v2(data)
    layouts.imagenet_c(data, 'gaussian_noise')
    layouts.objectnet(data)
    layouts.class_folders(data / 'sketch', layouts.WNIDS, list(range(1000)), '.JPEG')
    return root


def config_of(name: str, folder, **more) -> Config:
    path = folder / f'{name}_test.py'
    bases = [f'bgaug_mm::_base_/datasets/{name}.py', 'mmpretrain::_base_/default_runtime.py']
    path.write_text(f'_base_ = {bases}\n')
    config = Config.fromfile(path)
    config.merge_from_dict(more)
    return config


@pytest.mark.parametrize('name', CONFIGS)
def test_config_builds_its_set(name, root, monkeypatch, tmp_path):
    monkeypatch.chdir(root)
    config = config_of(name, tmp_path)
    init_default_scope(config.default_scope)
    dataset = DATASETS.build(config.test_dataloader.dataset)
    count, side = CONFIGS[name]
    assert len(dataset) == count
    sample = dataset[0]
    assert sample['inputs'].shape == (3, side, side)
    assert sample['data_samples'].gt_label.tolist() == {
        'imagenet_real': [999],
        'objectnet': [423, 559],
    }.get(name, [0])


def test_the_test_loop_and_the_evaluator_agree(root, monkeypatch, tmp_path):
    monkeypatch.chdir(root)
    head = dict(type='LinearClsHead', num_classes=1000, in_channels=32)
    model = dict(
        type='ImageClassifier',
        backbone=dict(type='ResNet', depth=18, stem_channels=4, base_channels=4),
        neck=dict(type='GlobalAveragePooling'),
        head=head,
    )
    config = config_of('imagenet9', tmp_path, model=model, work_dir=str(tmp_path))
    config.test_dataloader.update(num_workers=0)
    config.visualizer.vis_backends = []
    runner = Runner.from_cfg(config)
    # all outputs but those of the first 90 classes are low: so that some answers are right
    with torch.no_grad():
        runner.model.head.fc.weight.normal_()
        runner.model.head.fc.bias[90:] = -1000
    tested = runner.test()
    path = tmp_path / 'epoch_1.pth'
    state = runner.model.state_dict()
    torch.save({'state_dict': state, 'meta': {'cfg': config.pretty_text}}, path)
    result = evaluate_robustness(load_classifier(path), 'data', ['imagenet9'], short=8, crop=8)
    ours = result['scores']['imagenet9_mixed_rand']['mean']
    assert tested == {'robustness/accuracy': pytest.approx(ours)}
