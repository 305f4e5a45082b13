"""Sheets and pages of shipped recipes, on a small world."""

import re

import numpy as np
import pytest
from PIL import Image

TOOL = 'analysis_tools/browse_views'


@pytest.fixture
def browse(tools, project):
    def run(*argv):
        return tools(TOOL, *argv, cwd=project)

    return run


def page(folder):
    with Image.open(folder / 'views.png') as sheet:
        assert sheet.mode == 'RGB'
        assert np.asarray(sheet).std() > 10
    return (folder / 'views.html').read_text(encoding='utf-8')


def test_a_recipe_by_its_name(browse, project):
    status, output = browse('byol_bgswap_digits.py', '--num', 3, '--epochs', 2, '--seed', 4)
    assert status == 0, output
    assert output.splitlines()[-2:] == [
        f'work_dirs/views/byol_bgswap_digits/views.{end}' for end in ('png', 'html')
    ]
    text = page(project / 'work_dirs/views/byol_bgswap_digits')
    assert text.count('<section>') == 3
    assert text.count('<figure') == 3 * (2 + 2 * 2)
    assert 'view 2, epoch 2' in text
    assert 'forced' not in text
    for words in ('BackgroundSwap (RecentBackground)', '<dd>4</dd>', 'mmengine', 'bgaug_mm::demo'):
        assert words in text, words
    assert f'{TOOL}.py byol_bgswap_digits.py --num 3' in text
    # the same seed shows the same views
    status, output = browse(
        'byol_bgswap_digits.py', '--num', 3, '--epochs', 2, '--seed', 4, '--out', 'again'
    )
    assert status == 0, output
    sheets = [project / 'again/views.png', project / 'work_dirs/views/byol_bgswap_digits/views.png']
    assert sheets[0].read_bytes() == sheets[1].read_bytes()


def test_recipes_side_by_side(browse, project):
    """One of mmselfsup with multi-crop, one on the device, one of mmpretrain, one without."""
    configs = (
        'bgaug_mm::swav_bgswap.py',
        'bgaug_mm::byol_bgswap_device.py',
        'bgaug_mm::mmpretrain/byol_bgswap.py',
        'byol_digits.py',
    )
    status, output = browse(
        *configs, '--compare', '--data', 'world', '--op-prob', 1, '--indices', 9, -1, '--cell', 40
    )
    assert status == 0, output
    text = page(project / 'work_dirs/views/compare')
    assert text.count('<section>') == 2
    assert text.count('<figure') == 2 * (2 + 8 + 2 + 2 + 2)
    changed = re.findall(r'<figure class="changed[^>]*>.*?alt="([^"]*)"', text)
    names = ('swav_bgswap', 'byol_bgswap_device', 'byol_bgswap', 'byol_digits')
    counts = {name: sum(f', {name},' in alt for alt in changed) for name in names}
    # noise has no bad crops; 96 px views are left alone, and so is the plain recipe
    assert 0 < counts['swav_bgswap'] <= 4
    assert 0 < counts['byol_bgswap_device'] <= 4
    assert 0 < counts['byol_bgswap'] <= 4
    assert counts['byol_digits'] == 0
    assert 'was forced to 1' in text
    assert 'world/meta/train.txt does not exist' in text
    assert '9: 1/005.png' in text  # by class folders
    assert '31: 3/031.png' in text


def test_own_images(browse, project):
    (project / 'world/train').rename(project / 'pictures')
    (project / 'world/train_masks').rename(project / 'cut')
    argv = ('bgaug_mm::byol_bgremove.py', '--images', 'pictures', '--num', 1)
    status, output = browse(*argv)
    assert status == 2
    assert 'no image has a saliency mask' in output
    status, output = browse(*argv, '--masks', 'cut')
    assert status == 0, output
    assert page(project / 'work_dirs/views/byol_bgremove').count('<figure') == 4


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (['byol_bgswap_digit.py'], 'Did you mean byol_bgswap_digits.py'),
        (['byol_digits.py', '--data', 'nowhere'], '--data nowhere: there is no such folder'),
        (['byol_digits.py', '--indices', '3', '32'], '--indices 32: the dataset has 32 images'),
        (['byol_digits.py', '--num', '0'], '--num must be at least 1, but got 0'),
        (['byol_digits.py', '--op-prob', '1.5'], '--op-prob must be in [0, 1], but got 1.5'),
        (['byol_digits.py', 'byol_digits.py'], 'cannot be told apart'),
        (
            ['mmselfsup::selfsup/mae/mae_vit-base-p16_8xb512-amp-coslr-300e_in1k.py',
             '--data', 'world'],
            'makes no views: it has no `MultiView`',
        ),
    ],
)  # fmt: skip
def test_bad_input(browse, project, argv, message):
    status, output = browse(*argv)
    assert status == 2
    assert message in output
    assert 'Traceback' not in output
    assert not (project / 'work_dirs').exists()
