"""What the README tells users to write or to open exists and works."""

import re

import pytest
from mmengine.config import Config

import bgaug_mm  # noqa: F401


def config_blocks(root):
    blocks = re.findall(r'```python\n(.*?)```', (root / 'README.md').read_text(), re.S)
    return [block for block in blocks if 'train_dataloader' in block]


@pytest.mark.parametrize('index', range(5))
def test_configs_in_the_readme_load(root, index, tmp_path):
    blocks = config_blocks(root)
    assert len(blocks) == 5
    path = tmp_path / 'my_config.py'
    path.write_text(blocks[index])
    dataset = Config.fromfile(str(path)).train_dataloader.dataset
    assert dataset.type == 'bgaug_mm.SaliencyMaskDataset'
    assert dataset.dataset.data_root in ('/data/my_imagenet', 'data/imagenet/', 'data/mine')


PAGES = (
    'README.md',
    *(
        f'docs/{n}.md'
        for n in (
            'demo',
            'detection',
            'evaluation',
            'hard_views',
            'recipes',
            'results',
            'saliency',
            'troubleshooting',
            'views',
        )
    ),
)


@pytest.mark.parametrize('page', PAGES)
def test_links_and_named_files_exist(root, page):
    text = (root / page).read_text()
    links = [link for link in re.findall(r'\]\(([^)]+)\)', text) if '://' not in link]
    for link in links:
        assert ((root / page).parent / link).exists(), link
    for name in re.findall(r'\b(?:tools|configs)/[\w/.-]+\.(?:py|sh)', text):
        assert (root / name).is_file(), name


def test_make_targets_in_the_readme_exist(root):
    targets = set(re.findall(r'\bmake ([a-z-]+)', (root / 'README.md').read_text()))
    rules = set(re.findall(r'^([a-z-]+):', (root / 'Makefile').read_text(), re.M))
    assert {'demo', 'test', 'test-classic'} <= targets <= rules
