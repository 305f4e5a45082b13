import pytest

from bgaug_mm.datasets.robustness import RobustnessSet


class Two(RobustnessSet):
    SOURCE = 'two.tar'

    def samples(self):
        self._metainfo['class_indices'] = (3, 5)
        yield from [('a.png', 3), ('b.png', [5, 3])]


def test_samples_metainfo_and_pipeline(tmp_path):
    dataset = Two(tmp_path, pipeline=[lambda sample: (sample['img_path'], sample['gt_label'])])
    assert [dataset[i] for i in range(2)] == [('a.png', 3), ('b.png', [5, 3])]
    assert dataset.metainfo['class_indices'] == (3, 5)
    assert dataset.folder == dataset.root == tmp_path
    assert Two(tmp_path, lazy_init=True).metainfo['class_indices'] is None  # not the class's own
    assert len(Two(tmp_path, indices=1)) == 1


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r'the folder of Two. Fetch two.tar and put it'):
        Two(tmp_path / 'two')
