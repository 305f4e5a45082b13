"""What is explained in one message, and what keeps its traceback."""

import re
from functools import partial

import numpy as np
import pytest
from mmengine.dataset import BaseDataset

from bgaug_mm import environment
from bgaug_mm.compat import CheckpointError, checkpoints
from bgaug_mm.engine import launch
from bgaug_mm.engine.hooks import CollapseHook
from bgaug_mm.engine.launch_config import LaunchError
from bgaug_mm.engine.launch_errors import explain


def raised(function, *args, **kwargs) -> Exception:
    with pytest.raises(Exception) as info:
        function(*args, **kwargs)
    return info.value


def worker_error(file: str) -> RuntimeError:
    return ValueError(
        'Caught ValueError in DataLoader worker process 0.\nOriginal Traceback (most recent '
        f'call last):\n  File "torch/worker.py", line 1, in f\n  File "{file}", line 2, in g\n'
        'ValueError: image x.png cannot be used: it is broken\n'
    )


def test_ours():
    assert explain(LaunchError('a')) == explain(CheckpointError('a')) == 'a'
    assert explain(FileNotFoundError('no x')) == 'no x'
    error = raised(CollapseHook, interval=0)
    assert explain(error) == '`interval` must be an integer from 1, but got 0'
    assert explain(worker_error(checkpoints.__file__)) == (
        'image x.png cannot be used: it is broken'
    )


def test_others_keep_their_traceback():
    assert explain(raised(int, 'x')) is None
    assert explain(worker_error('/elsewhere/dataset.py')) is None
    assert explain(KeyError('x')) is None
    assert explain(AssertionError('x')) is None


def test_our_bugs_keep_theirs():
    """A TypeError from our own code is a bug, not bad input."""
    assert explain(raised(CollapseHook, no_such_option=1)) is None


def test_incompatible_versions_show_the_table():
    message = explain(AssertionError('MMCV==9 is used but incompatible. Please install mmcv<2'))
    assert message.startswith('MMCV==9 is used but incompatible')
    assert 'found' in message and 'torch' in message


def test_missing_packages(monkeypatch):
    monkeypatch.setattr(environment.util, 'find_spec', lambda name: None)
    message = explain(ModuleNotFoundError('No module named x', name='mmselfsup.models'))
    assert message.startswith('mmselfsup is not installed; run:')
    assert explain(ModuleNotFoundError('No module named x', name='x')) == 'No module named x'
    message = explain(ModuleNotFoundError("No module named 'mmcv._ext'", name='mmcv._ext'))
    assert "mmcv's compiled operations, which this config needs, are missing" in message
    assert 'mmcv==' in message and 'lite==' not in message and '--no-build-isolation' in message


def test_empty_dataset(tmp_path):
    (tmp_path / 'list.json').write_text('{"metainfo": {"classes": ["cat"]}, "data_list": []}')
    dataset = partial(BaseDataset, ann_file=str(tmp_path / 'list.json'))
    path = re.escape(str(tmp_path / 'list.json'))
    assert re.fullmatch(f'{path}: the dataset is empty', explain(raised(dataset)))
    message = explain(raised(dataset, filter_cfg=dict(min_size=32)))
    assert message.endswith('no image is left by filter_cfg (min_size=32; classes: cat)')
    # other empty arrays are no business of ours
    assert explain(raised(np.concatenate, [])) is None


def parse_data_info(img_info):
    """As mmdet's readers, which convert what is between two tags."""
    return int(img_info['text'])


def test_damaged_annotation():
    message = explain(raised(parse_data_info, {'xml_path': 'a/1.xml', 'text': None}))
    assert message.startswith('a/1.xml: not an annotation in the format of VOC')
    assert explain(raised(parse_data_info, {'xml_path': 'a/1.xml'})) is None  # a KeyError
    assert explain(raised(parse_data_info, {'text': None})) is None


def test_unknown_type():
    text = 'bgaug_mm.CollapsHook is not in the mmengine::hook registry. Please check whether …'
    message = explain(KeyError(text))
    assert message.startswith("type 'bgaug_mm.CollapsHook' is not in the hook registry")
    assert 'Did you mean bgaug_mm.CollapseHook' in message


@pytest.mark.parametrize('how', ['option', 'environment'])
def test_debug(monkeypatch, how):
    argv = ['train', 'no_such_config.py']
    assert launch.main(argv) == 2
    if how == 'option':
        argv.append('--debug')
    else:
        monkeypatch.setenv(launch.ENV_DEBUG, '1')
    assert isinstance(raised(launch.main, argv), LaunchError)


def test_message_names_the_process(monkeypatch, capsys):
    monkeypatch.setenv('RANK', '3')
    launch.main(['train', 'no_such_config.py'])
    assert capsys.readouterr().err.startswith('[rank 3] error: config no_such_config.py')
