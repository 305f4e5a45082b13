import pytest
import torch
from mmengine.registry import MODELS
from PIL import Image

from bgaug_mm.evaluation import FrozenBackbone, FrozenClassifier, LinearProbe, SuiteOptions
from bgaug_mm.evaluation.attacks import attack
from bgaug_mm.evaluation.networks.classifier import LoadedClassifier
from bgaug_mm.evaluation.suite.imagenet import evaluate_imagenet
from bgaug_mm.evaluation.suite.pictures import pictures
from bgaug_mm.evaluation.suite.results import Evaluation


class Brightness(torch.nn.Module):
    """Nine classes by the brightness of the image."""

    def forward(self, images):
        level = images.float().mean((1, 2, 3)) / 28
        return -(level[:, None] - torch.arange(9)).abs()


@pytest.fixture
def data(tmp_path):
    """ImageNet-9 of one image a class: all right on mixed_same, six of nine on mixed_rand."""
    classes = [
        '00_dog', '01_bird', '02_wheeled vehicle', '03_reptile', '04_carnivore', '05_insect',
        '06_musical instrument', '07_primate', '08_fish',
    ]  # fmt: skip
    for subset, wrong in (('mixed_same', 0), ('mixed_rand', 3)):
        for label, name in enumerate(classes):
            folder = tmp_path / 'bg_challenge' / subset / 'val' / name
            folder.mkdir(parents=True)
            shown = (label + 1) % 9 if label < wrong else label
            picture = Image.new('RGB', (224, 224), (28 * shown,) * 3)
            picture.save(folder / f'{subset}_{label}.JPEG')
    return tmp_path


def test_sets_become_figures_and_the_rest_is_named(data):
    run = evaluate_imagenet(Brightness(), data, label='x', checkpoint='x.pth', sets=['imagenet9'])
    assert run.means['imagenet9_mixed_same'] == 100
    assert run.means['imagenet9_bg_gap'] == pytest.approx(100 / 3)
    assert len(run.measures['imagenet9_bg_gap'].files) == 18
    assert 'imagenet9_only_fg' in run.skipped
    assert run.predictions['imagenet9_mixed_rand'].accuracy == pytest.approx(200 / 3)


def test_bad_options_are_recorded(data):
    run = evaluate_imagenet(Brightness(), data, sets=['imagenet10'])
    assert "got 'imagenet10'" in run.skipped['robustness sets']
    assert run.means == {}


def probed(outputs):
    """A network of one layer with a random probe."""
    torch.manual_seed(0)
    net = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3, stride=8))
    probe = LinearProbe(
        weight=torch.randn(outputs, 4).double(), bias=torch.zeros(outputs).double(),
        mean=torch.zeros(4), std=torch.ones(4),
    )  # fmt: skip
    return FrozenClassifier(FrozenBackbone(net, std=[60.0] * 3), probe)


@pytest.mark.parametrize('outputs', [9, 1000])
def test_pictures_of_what_it_sees(layouts, tmp_path, outputs):
    layouts.imagenet9(tmp_path)
    runs = [
        evaluate_imagenet(
            probed(outputs),
            tmp_path,
            label=label,
            sets=['imagenet9'],
            options=SuiteOptions(parts=()),
        )
        for label in 'ab'
    ]
    assert 'pictures' not in runs[0].skipped and runs[0].shown.set_name == 'imagenet9_mixed_rand'
    evaluation = Evaluation(suite='imagenet', runs=runs, base='a')
    sections = pictures(evaluation, tmp_path, rows=3)
    titles = [section.title for section in sections]
    assert titles == ['Where they look', 'Hardest failures of a', 'Hardest failures of b']
    # image and two networks: there are no masks
    assert Image.open(sections[0].picture).size[0] == 3 * 118 + 6
    assert 'border of the mask' not in sections[1].text
    assert 'imagenet9_mixed_rand' in sections[1].text


FEW = SuiteOptions(distorted=5, attacked=4, steps=2)


@pytest.mark.parametrize(
    ('sets', 'outputs', 'where'),
    [
        (['imagenet9', 'imagenet'], 1000, 'imagenet'),
        (['imagenet9'], 1000, 'original'),
        (['imagenet9'], 9, 'original'),
    ],
)
@pytest.mark.usefixtures('art')
def test_distortions_and_attacks(layouts, tmp_path, sets, outputs, where):
    layouts.imagenet9(tmp_path)
    layouts.imagenet(tmp_path)
    classifier = probed(outputs)
    run = evaluate_imagenet(classifier, tmp_path, sets=sets, options=FEW)
    assert not {'structure', 'attacks'} & run.skipped.keys()
    name = 'imagenet' if where == 'imagenet' else 'imagenet9_original'
    answered = run.predictions[name]
    assert f'structure: on images of {name}' in run.notes
    total = len(answered.files)
    chosen = [i * total // 5 for i in range(5)]
    assert run.measures['undistorted'].files == [answered.files[i] for i in chosen]
    if where == 'imagenet':  # as the set itself was answered
        clean = answered.correct[chosen]
        assert run.measures['undistorted'].values.tolist() == clean.tolist()
    assert {'gamma_5', 'patches_8', 'pixels_2', 'fgsm_1', 'pgd_4'} <= run.means.keys()
    assert len(run.measures['pgd_4'].files) == 4 and 'pgd_background_4' not in run.means
    assert run.means['pgd_4'] <= run.means['attacked']


@pytest.mark.parametrize('scope', ['mmpretrain', 'mmcls'])
@pytest.mark.usefixtures('art')
def test_a_whole_classifier_is_distorted_and_attacked(layouts, tmp_path, scope):
    pytest.importorskip(scope)
    layouts.imagenet9(tmp_path)
    model = MODELS.get(f'{scope}.ImageClassifier')(
        backbone=dict(type=f'{scope}.ResNet', depth=18, stem_channels=4, base_channels=4),
        neck=dict(type=f'{scope}.GlobalAveragePooling'),
        head=dict(type=f'{scope}.LinearClsHead', num_classes=9, in_channels=32),
    )
    run = evaluate_imagenet(
        LoadedClassifier(model, std=[60.0] * 3), tmp_path, sets=['imagenet9'], options=FEW
    )
    assert not {'structure', 'attacks', 'pictures'} & run.skipped.keys()
    assert {'undistorted', 'patches_8', 'attacked', 'pgd_4'} <= run.means.keys()


def test_what_is_left_out_or_cannot_be_disturbed(data):
    run = evaluate_imagenet(Brightness(), data, sets=['imagenet9'])
    assert 'a backbone with its probe or a checkpoint' in run.skipped['structure']
    assert 'it needs one of the sets imagenet, ' in run.skipped['attacks']
    run = evaluate_imagenet(
        probed(9), data, sets=['imagenet9'], options=SuiteOptions(parts=('structure',), distorted=2)
    )
    assert 'attacks' not in run.skipped and 'pgd_1' not in run.means
    assert len(run.measures['undistorted'].files) == 2


@pytest.mark.usefixtures('art')
def test_an_attack_that_fails_leaves_the_ones_before(data, monkeypatch):
    whole = attack.attack_accuracy

    def limited(*args, attack, **options):
        if attack.steps > 1:
            raise RuntimeError('CUDA out of memory')
        return whole(*args, attack=attack, **options)

    monkeypatch.setattr(attack, 'attack_accuracy', limited)
    run = evaluate_imagenet(probed(9), data, sets=['imagenet9'], options=FEW)
    assert run.skipped['attacks'] == 'CUDA out of memory'
    assert {'attacked', 'fgsm_4'} <= run.means.keys() and 'pgd_4' not in run.means
