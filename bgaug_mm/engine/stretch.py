"""Another length for a training."""

from __future__ import annotations

from mmengine.config import Config


def stretch(config: Config, epochs: int) -> None:
    """Train for `epochs`: schedules by epoch keep their shape, to the nearest epoch.

    A warm-up keeps one epoch at least.

    Args:
        config: Changed in place.
        epochs: At least 1.

    Raises:
        ValueError: For a schedule by iterations, or one that has no room left.
    """
    before = config.train_cfg.max_epochs
    config.train_cfg.max_epochs = epochs
    for scheduler in config.get('param_scheduler') or ():
        if not scheduler.get('by_epoch', True):
            raise ValueError(f'a schedule by iterations cannot be stretched: {scheduler}')
        begin = scheduler.get('begin', 0)
        end = scheduler.get('end', before)
        scheduler['begin'] = begin if begin <= 1 else max(1, round(begin * epochs / before))
        scheduler['end'] = end if end <= 1 else max(1, round(end * epochs / before))
        if scheduler['end'] <= scheduler['begin']:
            raise ValueError(f'{epochs} epochs are too few for the schedule {scheduler}')
        if 'T_max' in scheduler:
            scheduler['T_max'] = scheduler['end'] - scheduler['begin']
