import pytest

from bgaug_mm.datasets.robustness import CORRUPTIONS, IMAGENET9_SUBSETS
from bgaug_mm.evaluation.robustness.sets import COSTLY, ROBUSTNESS_SETS, find_wnids, openers


def test_ids_are_found_in_what_is_there(layouts, tmp_path):
    assert find_wnids(tmp_path) == tmp_path / 'imagenet/train'  # which the error names
    (tmp_path / 'imagenet/train' / layouts.WNIDS[0]).mkdir(parents=True)
    assert find_wnids(tmp_path) == tmp_path / 'imagenet/train'  # one class only
    listing = tmp_path / 'imagenet/LOC_synset_mapping.txt'
    listing.write_text(''.join(f'{wnid} thing\n' for wnid in layouts.WNIDS))
    assert find_wnids(tmp_path) == layouts.WNIDS


@pytest.mark.parametrize('name', sorted(set(ROBUSTNESS_SETS) - set(COSTLY)))
def test_what_is_not_there_is_one_set_that_cannot_be_opened(name, tmp_path):
    found = openers(name, tmp_path, wnids=None, outputs=1000)
    assert list(found) == [name]
    with pytest.raises(FileNotFoundError, match='is missing'):
        found[name]()


def test_parts_have_names(layouts, tmp_path):
    layouts.imagenet9(tmp_path)
    assert list(openers('imagenet9', tmp_path, wnids=None, outputs=9)) == [
        f'imagenet9_{subset}' for subset in IMAGENET9_SUBSETS
    ]
    (tmp_path / 'imagenet-c/fog').mkdir(parents=True)
    found = openers('imagenet_c', tmp_path, wnids=None, outputs=1000)
    assert len(found) == 5 + len(CORRUPTIONS) - 1
    assert {'imagenet_c_fog_5', 'imagenet_c_snow'} <= found.keys()
    for folder in ('imagenetv2-threshold0.7-format-val', 'imagenetv2-top-images-format-val'):
        (tmp_path / folder).mkdir()
    assert list(openers('imagenet_v2', tmp_path, wnids=None, outputs=1000)) == [
        'imagenet_v2', 'imagenet_v2_threshold0.7', 'imagenet_v2_top-images',
    ]  # fmt: skip


def test_the_map_is_needed_for_1000_outputs_alone(layouts, tmp_path):
    layouts.imagenet9(tmp_path, label_map=False)
    nine = openers('imagenet9', tmp_path, wnids=None, outputs=9)['imagenet9_no_fg']()
    assert nine.metainfo['label_map'] is None
    with pytest.raises(FileNotFoundError, match=r'in_to_in9\.json is missing'):
        openers('imagenet9', tmp_path, wnids=None, outputs=1000)['imagenet9_no_fg']()
