"""What a user may get wrong: exit status 2, one message that says what to do, no traceback."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from PIL import Image


@pytest.fixture
def refused(tools, project):
    """Run a tool that must refuse; its message."""

    def run(tool: str, *argv: str, status: int = 2) -> str:
        returned, output = tools(tool, *argv, cwd=project)
        assert returned == status, output
        assert 'Traceback' not in output
        (message,) = [line for line in output.splitlines() if 'error: ' in line]
        return message.partition('error: ')[2]

    return run


def train(refused, *options: str, config: str = 'byol_bgswap_digits.py') -> str:
    return refused('train', config, '--work-dir', 'out', *options)


def test_config_that_does_not_exist(refused):
    message = train(refused, config='byol_bgswap_digit.py')
    assert message.startswith('config byol_bgswap_digit.py does not exist. Did you mean ')
    assert 'byol_bgswap_digits.py' in message and 'bgaug_mm::demo/byol_bgswap_digits' in message
    message = train(refused, config='bgaug_mm::byol_bgswop.py')
    assert 'bgaug_mm::byol_bgswop.py does not exist' in message and 'byol_bgswap.py' in message


def test_config_of_another_package_that_does_not_exist(refused):
    message = train(refused, config='mmselfsup::selfsup/byol/no_such.py')
    assert 'config mmselfsup::selfsup/byol/no_such.py' in message


def test_unknown_option(refused):
    assert train(refused, '--workdir', 'x') == 'unrecognized arguments: --workdir x'


def test_cfg_options_without_value(refused):
    assert 'takes KEY=VALUE pairs' in train(refused, '--cfg-options', 'train_cfg')


def test_cfg_options_that_cannot_be_merged(refused):
    message = train(refused, '--cfg-options', 'train_dataloader.batch_size.x=1')
    assert message.startswith('--cfg-options train_dataloader.batch_size.x')


def test_misspelt_type(refused):
    message = train(refused, '--cfg-options', 'train_dataloader.dataset.type=bgaug_mm.MaskDataset')
    assert "'bgaug_mm.MaskDataset' is not in the dataset registry" in message
    assert 'bgaug_mm.SaliencyMaskDataset' in message


def test_no_data_folder(refused, project):
    shutil.rmtree(project / 'world')
    message = train(refused)
    assert message == (
        'the data folder world (train_dataloader.dataset.dataset.data_root) does not exist; '
        'name another with --data PATH'
    )
    assert train(refused, '--data', 'worlds') == '--data worlds: there is no such folder'


def test_wrong_layout(refused, project):
    (project / 'world/train').rename(project / 'world/training')
    message = train(refused)
    assert message == (
        'world/train (train_dataloader.dataset.dataset.data_prefix) does not exist; wrong '
        'layout? world holds train_masks, training'
    )


def test_list_of_images_that_does_not_exist(refused):
    message = train(
        refused, '--cfg-options', 'train_dataloader.dataset.dataset.ann_file=meta/train.txt'
    )
    assert 'the list of images world/meta/train.txt' in message
    assert '--cfg-options train_dataloader.dataset.dataset.ann_file=' in message


def test_no_images(refused, project):
    for image in (project / 'world/train').rglob('*.png'):
        image.unlink()
    assert 'world/train' in train(refused)


def test_no_masks(refused, project):
    shutil.rmtree(project / 'world/train_masks')
    assert 'train_masks' in train(refused)


def test_mask_missing(refused, project):
    (project / 'world/train_masks/1/001.png').unlink()
    assert 'train_masks/1/001.png' in train(refused)


def test_mask_of_another_size(refused, project):
    Image.new('L', (24, 30)).save(project / 'world/train_masks/1/001.png')
    option = 'train_dataloader.dataset.on_bad_mask=error'
    message = train(refused, '--cfg-options', option)
    assert '001.png' in message and '48' in message and '24' in message


@pytest.mark.parametrize('workers', [0, 2])
def test_broken_image(refused, project, workers):
    image = project / 'world/train/1/001.png'
    image.write_bytes(image.read_bytes()[:200])
    message = train(refused, '--cfg-options', f'train_dataloader.num_workers={workers}')
    assert 'train/1/001.png' in message


def test_checkpoint_to_resume_from_is_absent(refused):
    assert train(refused, '--resume', 'no.pth') == 'checkpoint no.pth does not exist'


def test_nothing_to_test(refused):
    message = refused('test', 'byol_digits.py', 'x.pth')
    assert 'has no test_dataloader, test_evaluator, test_cfg: nothing to test' in message


def test_auto_scale_lr_without_a_base(refused):
    message = train(refused, '--auto-scale-lr', '--cfg-options', 'auto_scale_lr=None')
    assert message == '--auto-scale-lr needs auto_scale_lr=dict(base_batch_size=…) in the config'


def test_debug_shows_the_traceback(tools, project):
    shutil.rmtree(project / 'world')
    status, output = tools('train', 'byol_digits.py', '--debug', cwd=project)
    assert status == 1
    assert 'Traceback' in output and 'LaunchError: the data folder world' in output


def test_near_names_of_cfg_options(tools, project):
    """No error, because many keys are optional; but it is said."""
    _, output = tools(
        'train', 'byol_digits.py', '--work-dir', 'out',
        '--cfg-options', 'train_cfg.max_epoch=9', 'train_cfg.max_epochs=1', cwd=project,
    )  # fmt: skip
    assert 'train_cfg.max_epoch is not in the config and is added' in output
    assert 'Did you mean train_cfg.max_epochs' in output


# The launchers stop before they start anything, so they need no real torch.


@pytest.fixture
def one_gpu(tmp_path: Path) -> dict[str, str]:
    """Environment of a machine with one GPU."""
    (tmp_path / 'gpu').mkdir()
    (tmp_path / 'gpu/torch.py').write_text(
        'class cuda:\n    @staticmethod\n    def device_count():\n        return 1\n'
    )
    return {**os.environ, 'PYTHONPATH': str(tmp_path / 'gpu')}


@pytest.mark.parametrize(
    ('argv', 'message'),
    [
        (('dist_train.sh', 'x.py', '2'), 'error: 2 GPUs were asked for, but this machine has 1'),
        (('dist_test.sh', 'x.py', 'x.pth', '2'), 'error: 2 GPUs were asked for, but this'),
        (('dist_train.sh', 'x.py', 'two'), "error: GPUS must be a number from 1, but got 'two'"),
        (('dist_train.sh', 'x.py', '0'), "error: GPUS must be a number from 1, but got '0'"),
        (('dist_train.sh', 'x.py', '--resume'), 'error: GPUS must be a number from 1'),
        (('dist_train.sh', 'x.py'), 'CONFIG GPUS [options of train.py]'),
        (('dist_test.sh', 'x.py', '2'), 'CONFIG CHECKPOINT GPUS [options of test.py]'),
        (('slurm_train.sh', 'gpu', 'job'), 'PARTITION JOB_NAME CONFIG'),
    ],
)
def test_launchers(root: Path, one_gpu, argv, message):
    done = subprocess.run(
        [str(root / 'tools' / argv[0]), *argv[1:]], capture_output=True, text=True, env=one_gpu
    )
    assert done.returncode == 2
    assert message in done.stderr
