import math

import pytest
from mmengine.config import Config

from bgaug_mm.checkpoints import config_from_text, stored_config
from bgaug_mm.checkpoints.stored_config import refuse_foreign_types


def test_reads_what_mmengine_writes():
    config = Config({
        'model': {
            'type': 'BYOL',
            'backbone': {'type': 'ResNet', 'out_indices': (3,), 'frozen': None, 'lr': -1e-3},
            'parts': [{'a': 1}, {'b': [True, 'x']}, []],
            'odd keys': {'a-b': 1, 3: 'three'},
        },
        'limits': {'most': float('inf')},
        'words': 'quote \' and "both"\nand a line',
        'empty': {},
    })  # fmt: skip
    read = config_from_text(config.pretty_text)
    assert read.to_dict() == config.to_dict()
    assert read.model.backbone.out_indices == (3,)


def test_reserved_names_are_a_value_error():
    with pytest.raises(ValueError, match='text is reserved'):
        config_from_text("text = 'a'")


def test_nan():
    assert math.isnan(config_from_text('a = nan').a)


@pytest.mark.parametrize(
    'text',
    [
        'import os',
        "a = __import__('os').system('true')",
        'a = dict(**b)',
        'a = {**b}',
        'a = dict([(1, 2)])',
        'a = b',
        'a = [x for x in range(3)]',
        "a = f'{1}'",
        'a, b = 1, 2',
        'a.b = 1',
        "print('x')",
        'a = dict(b=open)',
    ],
)
def test_refuses_to_run_anything(text):
    with pytest.raises(ValueError, match='line 1'):
        config_from_text(text)


def test_broken_text_names_the_line():
    with pytest.raises(ValueError, match='line 2 is not Python'):
        config_from_text('a = 1\nb = (')


@pytest.mark.parametrize('name', ['ResNet', 'mmcls.ResNet', 'bgaug_mm.BackgroundSwap'])
def test_types_of_openmmlab_pass(name):
    refuse_foreign_types({'type': name, 'neck': [{'type': 'LinearNeck'}], 'n': 3})


@pytest.mark.parametrize('name', ['subprocess.Popen', 'mmcls.models.ResNet', 'os.path.join', 'a b'])
def test_foreign_types_are_refused_however_deep(name):
    with pytest.raises(ValueError, match='the type `'):
        refuse_foreign_types({'type': 'BYOL', 'a': [{'b': ({'type': name},)}]})


def test_stored_config_errors_name_the_file_and_the_option():
    for content in ({}, {'meta': {}}, {'meta': {'cfg': None}}):
        with pytest.raises(ValueError, match=r'a\.pth has no config in its meta; .* --config'):
            stored_config(content, 'a.pth')
    with pytest.raises(ValueError, match=r'a\.pth: its stored config: line 1.*--config'):
        stored_config({'meta': {'cfg': 'a = open("x")'}}, 'a.pth')
    text = "model = dict(type='subprocess.Popen', args='true')"
    with pytest.raises(ValueError, match=r'the type `subprocess\.Popen`'):
        stored_config({'meta': {'cfg': text}}, 'a.pth')
