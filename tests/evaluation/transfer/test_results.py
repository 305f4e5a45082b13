import json

import numpy as np
import pytest
from PIL import Image

from bgaug_mm.evaluation.jobs import Job
from bgaug_mm.evaluation.transfer import Transfer, Trial, collect, markdown, plot_transfer

VOC = 'faster-rcnn_r50-c4_24k'


@pytest.fixture
def make(tmp_path):
    def job(config, weights, seed, metrics=None, **content):
        trial = Trial(config, weights, seed)
        done = tmp_path / f'{config}-{weights}-{seed}.json'
        if metrics is not None:
            done.write_text(json.dumps({'metrics': metrics, **content}))
        return Job(name=trial.name, folder=tmp_path / trial.name, done=done, run=trial,
                   prepare=list)  # fmt: skip

    return job


def voc(value):
    return {'pascal_voc/AP': value, 'pascal_voc/AP50': value + 20, 'other': 1.0}


@pytest.fixture
def transfer(make):
    jobs = [
        make(VOC, 'untrained', 0, voc(0.5)),
        make(VOC, 'random', 0, voc(30.0), minutes=2.0),
        make(VOC, 'random', 1, voc(32.0)),
        make(VOC, 'byol', 0, voc(41.0)),
        make(VOC, 'byol', 1, voc(42.0)),
        make(VOC, 'byol', 2),
        make('mask_x', 'random', 0, {'coco/bbox_mAP': 0.25, 'coco/segm_mAP': 0.2}),
    ]
    return collect(
        [*jobs, Job(name='world', folder=jobs[0].folder, done=jobs[0].done, prepare=list)]
    )


def test_in_percent_and_over_seeds(transfer):
    assert transfer.configs == [VOC, 'mask_x']
    assert transfer.trained(VOC) == ['random', 'byol']
    assert transfer.headings(VOC) == ['AP', 'AP50']
    assert transfer.headings('mask_x') == ['box AP', 'mask AP']
    assert transfer.estimate('mask_x', 'random', 'box AP').mean == 25
    estimate = transfer.estimate(VOC, 'random', 'AP')
    assert (estimate.mean, estimate.count) == (31, 2)
    assert estimate.std == pytest.approx(2**0.5)
    difference = transfer.difference(VOC, 'byol', 'AP', 'random')
    assert (difference.mean, difference.count) == (10.5, 2)
    assert transfer.estimate(VOC, 'byol', 'box AP') is None
    assert transfer.difference('mask_x', 'byol', 'box AP', 'random') is None
    content = json.loads(json.dumps(transfer.to_json()))
    assert content['trials'][f'{VOC}/random/0'] == {'AP': 30.0, 'AP50': 50.0, 'minutes': 2.0}
    assert content['estimates'][f'{VOC}/byol']['AP']['minus']['random']['mean'] == 10.5
    assert content['estimates'][f'{VOC}/random']['AP']['minus'] == {}


def test_the_tables(transfer):
    text = markdown(transfer, title='T')
    assert text.startswith('# T\n')
    assert '| random | 2 | 31.0 ± 1.4 | 51.0 ± 1.4 |' in text
    assert '| untrained | 1 | 0.5 | 20.5 |' in text
    assert '| byol − random | 2 | **10.5 (4.1–16.9)** | **10.5 (4.1–16.9)** |' in text
    assert 'untrained −' not in text and '− untrained' not in text
    # AP, AP50: marked as what they are
    assert '| *published: supervised (Chen and He, CVPR 2021, table 5)* | - | 53.5 | 81.3 |' in text
    assert text.count('published') == 4


def test_the_picture(transfer, tmp_path):
    path = tmp_path / 'new' / 'x.png'
    plot_transfer(transfer, path, title='T')
    with Image.open(path) as image:
        assert np.asarray(image.convert('L')).std() > 10
    with pytest.raises(ValueError, match='at least one'):
        plot_transfer(Transfer(), path)


def test_a_damaged_result_is_named(make):
    job = make(VOC, 'byol', 0, {})
    job.done.write_text('{')
    with pytest.raises(ValueError, match=r'byol-0\.json is damaged .*delete it'):
        collect([job])
