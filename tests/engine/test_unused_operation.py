"""The notice that a background operation was overridden where it has no effect."""

import pytest

from bgaug_mm.engine import launch, unused_operation

OVERRIDE = """
_base_ = 'bgaug_mm::mmpretrain/byol_bgswap.py'
background_op = dict(prob=0.7)
"""
REPLACED = """
_base_ = 'bgaug_mm::mmpretrain/byol_bgswap.py'
from bgaug_mm.datasets.views import with_background_op
train_dataloader = with_background_op(
    _base_.train_dataloader, dict(_base_.background_op, prob=dict(type='linear', start=0, end=1)))
"""


@pytest.mark.parametrize(
    ('text', 'options', 'warnings'),
    [
        (OVERRIDE, [], 1),
        (REPLACED, [], 0),
        (REPLACED, ['background_op.prob=0.7'], 1),
        ("_base_ = 'bgaug_mm::byol_bgswap.py'", [], 0),
        ("_base_ = 'bgaug_mm::byol_bgswap.py'", ['background_op.prob=0.7'], 1),
        (
            "_base_ = 'bgaug_mm::byol_bgswap_device.py'",
            ['model.data_preprocessor.background_op.prob=0.7'],
            0,
        ),
    ],
)
def test_an_operation_that_no_view_has_is_noticed(tmp_path, monkeypatch, text, options, warnings):
    messages = []
    monkeypatch.setattr(
        unused_operation, 'print_log', lambda text, **options: messages.append(text)
    )
    (tmp_path / 'mine.py').write_text(text)
    argv = [str(tmp_path / 'mine.py'), *(['--cfg-options', *options] if options else [])]
    launch.train_config(launch.train_parser().parse_args(argv))
    assert sum('is not the one in its views' in text for text in messages) == warnings
