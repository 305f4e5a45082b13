import pytest

from bgaug_mm.datasets.robustness import CORRUPTIONS, SEVERITIES, ImageNetC


def test_corruptions_and_severities(layouts, tmp_path):
    assert (len(CORRUPTIONS), SEVERITIES) == (15, (1, 2, 3, 4, 5))
    layouts.imagenet_c(tmp_path, 'fog')
    folder = tmp_path / 'imagenet-c'
    dataset = ImageNetC(folder, 'fog', 3, layouts.WNIDS)
    assert [dataset[i]['gt_label'] for i in (0, 17, 999)] == [0, 17, 999]
    assert dataset[17]['img_path'].startswith(f'{folder}/fog/3/{layouts.WNIDS[17]}/')
    with pytest.raises(FileNotFoundError, match=r'Fetch weather\.tar of https://zenodo'):
        ImageNetC(folder, 'snow', 1, layouts.WNIDS)
    with pytest.raises(ValueError, match="`corruption` must be one of .* but got 'rain'"):
        ImageNetC(folder, 'rain', 1, layouts.WNIDS)
    with pytest.raises(ValueError, match='`severity` must be one of .* but got 6'):
        ImageNetC(folder, 'fog', 6, layouts.WNIDS)
