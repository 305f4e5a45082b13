import shutil

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

from bgaug_mm.evaluation import FrozenBackbone, SuiteOptions, evaluate_world
from bgaug_mm.evaluation.suite.pictures import overlay, pictures
from bgaug_mm.evaluation.suite.results import Evaluation


@pytest.fixture(scope='module')
def runs(small_world):
    torch.manual_seed(0)
    backbone = FrozenBackbone(nn.Sequential(nn.Conv2d(3, 4, 3, padding=1)), std=[60.0] * 3)
    options = SuiteOptions(k=3, parts=())
    return [evaluate_world(backbone, small_world, label=x, options=options) for x in 'ab']


def test_heat_maps_and_failures(runs, tmp_path):
    wrong = runs[0].predictions['mixed_rand']
    wrong.predictions[:] = (wrong.labels + 1) % 3
    sections = pictures(Evaluation(suite='mini', runs=runs), tmp_path, rows=3)
    titles = [section.title for section in sections]
    assert titles[:2] == ['Where they look', 'Hardest failures of a']
    sheet = np.asarray(Image.open(sections[0].picture))
    assert sheet.shape[1] == 4 * 118 + 6  # image, mask, two networks
    assert '12 are named wrong' in sections[1].text
    assert np.asarray(Image.open(sections[1].picture)).shape[1] == 8 * 118 + 6


def test_no_failure_is_said(runs, tmp_path):
    right = runs[1].predictions['mixed_rand']
    right.predictions[:] = right.labels
    sections = pictures(Evaluation(suite='mini', runs=runs[1:]), tmp_path)
    assert sections[1].text == 'Every image of mixed_rand is named right.'
    assert sections[1].picture is None


def test_runs_without_a_network_have_no_pictures(runs, tmp_path):
    from bgaug_mm.evaluation.suite.results import read_runs

    path = Evaluation(suite='mini', runs=runs[:1]).save(tmp_path)
    assert pictures(Evaluation(suite='mini', runs=read_runs(path)), tmp_path) == []


def test_a_picture_that_fails_says_why(runs, small_world, tmp_path):
    moved = shutil.copytree(small_world, tmp_path / 'world')
    shutil.rmtree(moved / 'mixed_rand/red')
    runs[0].data = str(moved)
    sections = pictures(Evaluation(suite='mini', runs=runs[:1]), tmp_path)
    runs[0].data = str(small_world)
    assert sections[-1].title == 'Pictures' and 'red' in sections[-1].text


def test_overlay_by_hand():
    image = np.full((1, 2, 3), 100, np.uint8)
    found = overlay(image, np.array([[0.0, 1.0]], np.float32))
    dark, light = (0, 0, 4), (252, 255, 164)  # the ends of matplotlib's inferno, RGB
    for pixel, colour in zip(found[0], (dark, light), strict=True):
        assert np.abs(pixel - (0.45 * 100 + 0.55 * np.array(colour))).max() <= 2
    assert (image == 100).all()
