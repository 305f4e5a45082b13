"""What the command line does to a config, where no run is needed to see it."""

import pytest
from mmengine.config import Config

from bgaug_mm.engine.launch_config import LaunchError, check_data, set_data_root


def detection_config(**dataset):
    loader = dict(dataset=dict(type='CocoDataset', data_root='data/coco/', **dataset))
    metric = dict(type='CocoMetric', ann_file='data/coco/annotations/val.json')
    elsewhere = dict(type='CocoMetric', ann_file='lists/val.json')
    return Config(
        dict(
            default_scope='mmdet',
            val_dataloader=loader,
            test_dataloader=loader,
            val_evaluator=metric,
            test_evaluator=[dict(metric), elsewhere, dict(type='Other')],
        )
    )


def test_the_metrics_of_coco_move_with_the_data(tmp_path):
    cfg = detection_config()
    set_data_root(cfg, str(tmp_path))
    assert cfg.val_dataloader.dataset.data_root == str(tmp_path)
    assert cfg.val_evaluator.ann_file == str(tmp_path / 'annotations/val.json')
    moved, elsewhere, other = cfg.test_evaluator
    assert moved.ann_file == cfg.val_evaluator.ann_file
    assert elsewhere.ann_file == 'lists/val.json' and 'ann_file' not in other


def test_missing_annotations(tmp_path):
    cfg = detection_config(ann_file='annotations/val.json')
    cfg.val_dataloader.dataset.data_root = str(tmp_path)
    message = r'annotations/val\.json \(val_dataloader\.dataset\.ann_file\) do not exist'
    with pytest.raises(LaunchError, match=f'the annotations .*{message}; name others with'):
        check_data(cfg, ('val_dataloader',))
    (tmp_path / 'annotations').mkdir()
    (tmp_path / 'annotations/val.json').write_text('{}')
    check_data(cfg, ('val_dataloader',))
