"""The tool as it is called: kills at any moment, shards, bad input, the way to training."""

import json
import os
import random
import runpy
import shutil
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from mmengine.registry import init_default_scope
from PIL import Image
from skimage import data

from bgaug_mm.saliency.worker_pool import WorkError

TOOL = runpy.run_path(str(Path(__file__).resolve().parents[2] / 'tools/saliency/generate_masks.py'))
main = TOOL['main']


def make_images(folder: Path, count: int, *, broken: bool = True) -> Path:
    """Pieces of photos in three folders, and two broken files."""
    rng = np.random.default_rng(0)
    photos = [data.astronaut(), data.coffee(), data.chelsea()]
    for i in range(count):
        photo = photos[i % 3]
        y, x = (int(rng.integers(side - 80)) for side in photo.shape[:2])
        path = folder / f'n{i % 3}/im {i:03d}.{"jpg" if i % 2 else "png"}'
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(photo[y : y + 80, x : x + 64]).save(path)
    if broken:
        (folder / 'n0/zero é.png').write_bytes(b'')
        whole = (folder / 'n0/im 000.png').read_bytes()
        (folder / 'n1/cut.png').write_bytes(whole[: len(whole) // 2])
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob('*')
        if path.is_file()
    }


def count(folder: Path) -> int:
    return sum(1 for _ in folder.glob('n*/*.png'))


@pytest.mark.slow  # a dozen runs
def test_killed_ten_times(tools, tmp_path: Path) -> None:
    make_images(tmp_path / 'in', 64)
    argv = ['saliency/generate_masks', 'in', '--estimator', 'gs']
    status, output = tools(*argv, 'expected', '--workers', '1', cwd=tmp_path)
    assert status == 0, output
    assert '64 masks of 66 images, 2 images failed' in output

    rng, out = random.Random(0), tmp_path / 'out'
    for kill in range(10):
        # the first nine after some more masks; the last one at the end, in the report
        workers = '2' if kill == 4 else '1'
        goal = min(64, 7 * (kill + 1)) if kill < 9 else 65
        pid = tools.start(*argv, 'out', '--workers', workers, cwd=tmp_path)
        deadline = time.monotonic() + 60
        while count(out) < goal and time.monotonic() < deadline:
            time.sleep(0.002)
            if kill == 9 and (out / '_report/failures.csv').exists():
                break
        time.sleep(rng.uniform(0, 0.03))
        os.kill(pid, signal.SIGKILL)
        status, output = tools.wait(pid, cwd=tmp_path)
        assert status == -signal.SIGKILL, output
    # what a kill inside of a write leaves, however seldom it happens
    (out / 'n1/.im 001.png.abcd_123').write_bytes(b'half')

    before = {path: path.stat().st_mtime_ns for path in out.glob('n*/*.png')}
    assert 64 - 8 <= len(before) <= 64
    status, output = tools(*argv, 'out', '--workers', '2', cwd=tmp_path)
    assert status == 0, output
    assert all(path.stat().st_mtime_ns == time for path, time in before.items())
    assert tree(out) == tree(tmp_path / 'expected')


def test_interrupted_from_the_keyboard(tools, tmp_path: Path) -> None:
    image = make_images(tmp_path / 'in', 1, broken=False) / 'n0/im 000.png'
    for i in range(3000):  # more than can be done before the signal, however late it comes
        os.link(image, image.with_name(f'{i}.png'))
    argv = ['saliency/generate_masks', 'in', 'out', '--estimator', 'gs', '--workers', '1']
    pid = tools.start(*argv, cwd=tmp_path)
    while count(tmp_path / 'out') < 5:
        time.sleep(0.01)
    os.kill(pid, signal.SIGINT)
    status, output = tools.wait(pid, cwd=tmp_path)
    assert status == 130
    assert output.splitlines()[-1] == 'interrupted; run the same command again to go on'
    assert 'Traceback' not in output


@pytest.mark.parametrize('stop', [KeyboardInterrupt(), WorkError('run the same command again')])
def test_going_on_must_not_overwrite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], stop
) -> None:
    def stopped(*args, **kwargs):
        raise stop

    make_images(tmp_path / 'in', 3)
    monkeypatch.setitem(main.__globals__, 'generate_masks', stopped)
    for extra in ([], ['--overwrite']):
        with pytest.raises(SystemExit) as exit:
            run(tmp_path / 'in', tmp_path / 'out', *extra)
        said = f'{exit.value} {capsys.readouterr().err}'
        assert 'the same command again' in said
        assert ('without --overwrite' in said) == bool(extra)


def run(*argv) -> None:
    main([*map(str, argv), '--estimator', 'gs', '--workers', '1'])


def test_report_on_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    make_images(tmp_path / 'in', 6)
    run(tmp_path / 'in', tmp_path / 'out', '--size', '40', '--cfg-options', 'compactness=10')
    output = capsys.readouterr()
    assert '6 masks of 8 images, 2 images failed' in output.out
    assert 'masks with less than 5 % foreground' in output.out
    assert f'failures: {tmp_path}/out/_report/failures.csv' in output.out
    assert 'masks 8/8 (100.0%)' in output.err
    failures = (tmp_path / 'out/_report/failures.csv').read_text(encoding='utf-8')
    assert 'n0/zero é.png,the file is empty' in failures
    assert 'n1/cut.png,image file is truncated' in failures
    settings = json.loads((tmp_path / 'out/_report/settings.json').read_text())
    assert settings['estimator'] == {'type': 'gs', 'size': 40, 'compactness': 10}


def test_shards_of_torchrun(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make_images(tmp_path / 'in', 6)
    run(tmp_path / 'in', tmp_path / 'expected')
    run(tmp_path / 'in', tmp_path / 'out', '--shard', '1/2')
    assert 'shard 1/2 is done; the shard that ends last writes' in capsys.readouterr().out
    monkeypatch.setenv('RANK', '0')
    monkeypatch.setenv('WORLD_SIZE', '2')
    run(tmp_path / 'in', tmp_path / 'out')
    assert tree(tmp_path / 'out') == tree(tmp_path / 'expected')
    monkeypatch.setenv('LOCAL_WORLD_SIZE', '1000')
    assert TOOL['default_workers']() == 1


def test_odd_images(tmp_path: Path) -> None:
    """Each becomes a mask of the size that training sees, or a failure."""
    photo = Image.fromarray(data.astronaut()[:64, :80])
    folder = tmp_path / 'in'
    folder.mkdir()
    exif = Image.Exif()
    exif[0x0112] = 6
    photo.save(folder / 'rotated.jpg', exif=exif)
    photo.convert('L').save(folder / 'grey.png')
    photo.convert('CMYK').save(folder / 'cmyk.jpg')
    photo.convert('RGBA').save(folder / 'alpha.png')
    photo.quantize(8).save(folder / 'palette.png')
    Image.fromarray(np.asarray(photo.convert('L')).astype(np.uint16) * 257).save(folder / '16.png')
    photo.crop((0, 0, 1, 1)).save(folder / 'one pixel.png')
    photo.resize((20000, 10)).save(folder / 'wide.png')
    photo.save(folder / 'ünï 名.png')
    run(folder, tmp_path / 'out')
    sizes = {path.stem: Image.open(path).size for path in (tmp_path / 'out').glob('*.png')}
    usual = dict.fromkeys(['grey', 'cmyk', 'alpha', 'palette', '16', 'ünï 名'], (80, 64))
    odd = {'rotated': (64, 80), 'one pixel': (1, 1), 'wide': (20000, 10)}
    assert sizes == {**usual, **odd}


def test_training_reads_the_masks(tmp_path: Path) -> None:
    from bgaug_mm.registry import DATASETS

    make_images(tmp_path / 'in', 6, broken=False)
    shutil.copy(tmp_path / 'in/n0/im 000.png', tmp_path / 'in/n0/im 000.jpg')
    rule = '{dir}/{stem}{ext}.png'
    with pytest.raises(SystemExit, match='would share the mask'):
        run(tmp_path / 'in', tmp_path / 'out')
    run(tmp_path / 'in', tmp_path / 'out', '--name-rule', rule)
    init_default_scope('mmengine')
    dataset = DATASETS.build(
        dict(
            type='bgaug_mm.SaliencyMaskDataset',
            dataset=dict(type='mmcls.CustomDataset', data_prefix=str(tmp_path / 'in'), pipeline=[]),
            mask_root=str(tmp_path / 'out'),
            name_rule=rule,
            check='header',
            pipeline=[dict(type='LoadImageFromFile'), dict(type='bgaug_mm.LoadSaliencyMask')],
        )
    )
    assert len(dataset) == 7
    assert all(dataset[i]['gt_seg_map'].shape == dataset[i]['img'].shape[:2] for i in range(7))


@pytest.mark.parametrize(
    'argv, message',
    [
        (['none', 'out'], "there is no folder, list or config 'none'"),
        (['empty', 'out'], "'empty' holds no image"),
        (['in', 'in/masks'], "lies in the images' folder 'in'.*'in_masks'"),
        (['in', '.'], "lie in the masks' folder"),
        (['in', 'file'], "'file' is a file: choose a folder"),
        (['in', 'out', '--threshold', '2'], r'`threshold` must be in \(0, 1\), but got 2.0'),
        (['in', 'out', '--shard', '2/2'], 'counted from 0'),
        (['in', 'out', '--cfg-options', 'colour=1'], "estimator 'gs': .*colour"),
        (['in', 'out', '--dataloader', 'x', '--data', 'y'], '--data goes with'),
        (['no_such.py', 'out'], 'config no_such.py does not exist'),
    ],
)
def test_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, argv, message: str) -> None:
    make_images(tmp_path / 'in', 3)
    (tmp_path / 'empty').mkdir()
    (tmp_path / 'file').write_text('')
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match=f'(?s)^generate_masks: .*{message}'):
        run(*argv)


def test_unknown_estimator_and_bad_arguments(tmp_path: Path, capsys) -> None:
    make_images(tmp_path / 'in', 3)
    with pytest.raises(SystemExit, match="unknown estimator 'rdb'; known: .*rbd"):
        main([str(tmp_path / 'in'), str(tmp_path / 'out'), '--estimator', 'rdb'])
    with pytest.raises(SystemExit):
        main(['in', 'out', '--shard', 'x'])
    assert "invalid shard value: 'x'" in capsys.readouterr().err


def test_nothing_but_failures(tmp_path: Path) -> None:
    (tmp_path / 'in').mkdir()
    (tmp_path / 'in/a.png').write_bytes(b'')
    with pytest.raises(SystemExit, match='no image gave a mask; see .*failures.csv'):
        run(tmp_path / 'in', tmp_path / 'out')
