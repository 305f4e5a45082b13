import pytest
from mmengine.config import Config

from bgaug_mm.engine.stretch import stretch


def config():
    return Config(
        dict(
            train_cfg=dict(max_epochs=20),
            param_scheduler=[
                dict(type='LinearLR', by_epoch=True, begin=0, end=1),
                dict(type='CosineAnnealingLR', by_epoch=True, T_max=19, begin=1, end=20),
            ],
        )
    )


def test_a_schedule_is_stretched():
    stretched = config()
    stretch(stretched, 33)
    assert stretched.train_cfg.max_epochs == 33
    warmup, cosine = stretched.param_scheduler
    assert (warmup.begin, warmup.end) == (0, 1)
    assert (cosine.begin, cosine.end, cosine.T_max) == (1, 33, 32)
    longer = config()
    longer.param_scheduler[0].end = longer.param_scheduler[1].begin = 2
    stretch(longer, 4)
    assert [(s.begin, s.end) for s in longer.param_scheduler] == [(0, 1), (1, 4)]
    same = config()
    stretch(same, 20)
    assert same.to_dict() == config().to_dict()
    with pytest.raises(ValueError, match='1 epochs are too few for the schedule .*Cosine'):
        stretch(config(), 1)
    by_iteration = Config(dict(train_cfg={}, param_scheduler=[dict(type='X', by_epoch=False)]))
    by_iteration.train_cfg.max_epochs = 2
    with pytest.raises(ValueError, match='a schedule by iterations cannot be stretched'):
        stretch(by_iteration, 4)
