import csv
import hashlib
import importlib.util
import io
import os
import shutil
import subprocess
import tarfile
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

TOOL = Path(__file__).resolve().parents[2] / 'tools/dataset_converters/make_cutout8.py'
BIRD, WOOD = 'animals/bird.png', 'tex_a/wood.png'
STAMPS, TEXTURES = 'tuxpaint-stamps-default', 'ufoai-textures'


def encoded(image, form='PNG'):
    buffer = io.BytesIO()
    image.save(buffer, form)
    return buffer.getvalue()


def make_deb(path, files, pack='xz'):
    """A Debian package, written by hand: an ar archive of three files."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode=f'w:{pack}') as data:
        for name, content in files.items():
            info = tarfile.TarInfo(f'./{name}')
            info.size = len(content)
            data.addfile(info, io.BytesIO(content))
    control = io.BytesIO()
    with tarfile.open(fileobj=control, mode='w:gz'):
        pass
    with open(path, 'wb') as file:
        file.write(b'!<arch>\n')
        for name, content in (
            ('debian-binary', b'2.0\n'),
            ('control.tar.gz', control.getvalue()),
            (f'data.tar.{pack}', tar.getvalue()),
        ):
            file.write(f'{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n'.encode())
            file.write(content + b'\n' * (len(content) % 2))
    return path


@pytest.fixture
def bird():
    """200×100, a grey bar of 180×80 with white hidden around it."""
    pixels = np.full((100, 200, 4), 255, np.uint8)
    pixels[..., 3] = 0
    pixels[10:90, 10:190] = 90, 90, 90, 255
    return encoded(Image.fromarray(pixels))


@pytest.fixture
def debs(tmp_path, bird):
    wood = np.zeros((128, 300, 3), np.uint8)
    wood[:, 86:214] = 200  # the middle square
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, 'w') as file:
        file.writestr(f'textures/{WOOD}', encoded(Image.fromarray(wood)))
        file.writestr('textures/other.png', b'')
    folder = tmp_path / 'debs'
    folder.mkdir()
    return [
        make_deb(
            folder / f'{STAMPS}_1_all.deb',
            {
                f'usr/share/tuxpaint/stamps/{BIRD}': bird,
                'usr/share/tuxpaint/stamps/other.png': b'',
                f'usr/share/doc/{STAMPS}/copyright': b'GPL',
            },
        ),
        make_deb(
            folder / f'{TEXTURES}_2_all.deb',
            {
                'usr/share/games/ufoai/base/0textures.pk3': archive.getvalue(),
                f'usr/share/doc/{TEXTURES}/copyright': b'GPL too',
            },
            'gz',
        ),
    ]


@pytest.fixture
def tool(tmp_path, debs, bird, monkeypatch):
    """The tool with a list of two pictures."""
    monkeypatch.syspath_prepend(str(TOOL.parent))
    spec = importlib.util.spec_from_file_location('make_cutout8', TOOL)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    wood = module.read_package(debs[1], module.PACKAGES['textures'], {WOOD}, tmp_path)[WOOD]
    rows = [
        ['file', 'source', 'licence', 'sha256'],
        ['cutouts/bird/bird.png', BIRD, 'GPL-2', hashlib.sha256(bird).hexdigest()],
        ['textures/wood/wood.jpg', WOOD, 'Expat', hashlib.sha256(wood).hexdigest()],
    ]
    path = tmp_path / 'list.csv'
    path.write_text(''.join(','.join(row) + '\n' for row in rows))
    monkeypatch.setattr(module, 'LIST', path)
    return module


@pytest.fixture(params=['dpkg-deb', 'python'])
def unpacker(request, monkeypatch):
    if request.param == 'python':
        monkeypatch.setattr(shutil, 'which', lambda name: None)
    elif not shutil.which('dpkg-deb'):
        pytest.skip('no dpkg-deb here')
    return request.param


def test_pool(tool, debs, tmp_path, unpacker, capsys):
    out = tmp_path / 'new' / 'pool'
    tool.main([str(out), '--debs', *map(str, debs)])
    cutout = np.asarray(Image.open(out / 'cutouts/bird/bird.png'))
    assert cutout.shape == (71, 160, 4)  # trimmed to 180×80, then reduced
    assert (cutout[2:-2, 2:-2] == [90, 90, 90, 255]).all()
    assert cutout[cutout[..., 3] > 2][:, :3].max() <= 91  # no seam of the hidden white
    texture = np.asarray(Image.open(out / 'textures/wood/wood.jpg'))
    assert texture.shape == (256, 256, 3)
    assert abs(texture.astype(int) - 200).max() <= 2
    assert (out / f'licenses/{STAMPS}.copyright').read_bytes() == b'GPL'
    assert (out / f'licenses/{TEXTURES}.copyright').read_bytes() == b'GPL too'
    with (out / 'MANIFEST.csv').open() as file:
        first, second = csv.DictReader(file)
    assert (first['class'], second['licence']) == ('bird', 'Expat')
    assert first['source_package'] == f'{STAMPS}_1'
    assert second['source_file'].endswith('0textures.pk3!textures/tex_a/wood.png')
    content = (out / 'cutouts/bird/bird.png').read_bytes()
    assert first['sha256'] == hashlib.sha256(content).hexdigest()
    assert os.listdir(out.parent) == ['pool']
    tool.main([str(out)])
    assert 'already there' in capsys.readouterr().out


def test_other_content_is_refused_or_taken(tool, debs, bird, tmp_path, capsys):
    turned = Image.open(io.BytesIO(bird)).rotate(90)
    make_deb(debs[0], {f'usr/share/tuxpaint/stamps/{BIRD}': encoded(turned)})
    listed = tool.LIST.read_text()
    tool.LIST.write_text(listed + 'textures/wood/none.jpg,tex_a/none.png,GPL-2,0\n')
    command = [str(tmp_path / 'pool'), '--debs', *map(str, debs)]
    with pytest.raises(SystemExit, match=r'1 of 3 files are not there, the first is .*none\.png; '):
        tool.main(command)
    assert not (tmp_path / 'pool').exists()
    tool.LIST.write_text(listed.replace(listed.split(',')[6].split('\n')[0], '0' * 64))
    with pytest.raises(SystemExit, match=r'1 of 2 files are others.*bird\.png; .*--any-version'):
        tool.main(command)
    tool.main([*command, '--any-version'])
    assert '1 of 2 files are others' in capsys.readouterr().out
    assert (tmp_path / 'pool/cutouts/bird/bird.png').is_file()


def test_bad_packages_are_named(tool, debs, tmp_path, unpacker):
    out = str(tmp_path / 'pool')
    with pytest.raises(SystemExit, match=f'make_cutout8: no {TEXTURES}_'):
        tool.main([out, '--debs', str(debs[0])])
    whole = debs[1].read_bytes()
    make_deb(debs[1], {'usr/share/games/ufoai/base/0textures.pk3': b'no zip'})
    with pytest.raises(SystemExit, match=r'0textures\.pk3 in it cannot be unpacked'):
        tool.main([out, '--debs', *map(str, debs)])
    debs[1].write_bytes(whole)
    debs[0].write_bytes(debs[0].read_bytes()[:300])
    with pytest.raises(SystemExit, match=f'{STAMPS}_1_all.deb cannot be unpacked'):
        tool.main([out, '--debs', *map(str, debs)])
    debs[0].write_text('<html>')
    with pytest.raises(SystemExit, match=f'{STAMPS}_1_all.deb (cannot be|is not)'):
        tool.main([out, '--debs', *map(str, debs)])
    assert not os.path.exists(out)


def test_zst_without_a_tool_says_what_is_needed(tool, debs, tmp_path, monkeypatch):
    monkeypatch.setattr(shutil, 'which', lambda name: None)
    monkeypatch.setattr('debian_packages._ZST', False)
    content = debs[0].read_bytes().replace(b'data.tar.xz ', b'data.tar.zst')
    debs[0].write_bytes(content)
    with pytest.raises(SystemExit, match=r'data\.tar\.zst needs dpkg-deb'):
        tool.main([str(tmp_path / 'pool'), '--debs', *map(str, debs)])


def test_download_by_apt(tool, debs, tmp_path, monkeypatch):
    def run(command, cwd, check):
        assert command[:2] == ['apt-get', 'download']
        assert command[-2:] == [STAMPS, TEXTURES]
        for deb in debs:
            shutil.copy(deb, cwd)

    monkeypatch.setattr(subprocess, 'run', run)
    tool.main([str(tmp_path / 'pool')])
    assert (tmp_path / 'pool/MANIFEST.csv').is_file()


@pytest.mark.parametrize(
    ('error', 'message'),
    [
        (FileNotFoundError(), 'there is no apt-get here; fetch the packages'),
        (subprocess.CalledProcessError(100, 'apt-get'), 'status 100.*apt-get update.*--debs'),
    ],
)
def test_without_apt_it_says_what_to_fetch(tool, tmp_path, monkeypatch, error, message):
    def run(*args, **kwargs):
        raise error

    monkeypatch.setattr(subprocess, 'run', run)
    with pytest.raises(SystemExit, match=message):
        tool.main([str(tmp_path / 'pool')])


def test_a_folder_with_something_else_is_left_alone(tool, debs, tmp_path):
    (tmp_path / 'mine').mkdir()
    (tmp_path / 'mine/file').write_text('precious')
    with pytest.raises(SystemExit, match='mine holds something else'):
        tool.main([str(tmp_path / 'mine'), '--debs', *map(str, debs)])


def test_the_list_is_what_cutout8_was_made_of(cutout8):
    with TOOL.with_name('cutout8.csv').open() as file:
        listed = list(csv.DictReader(file))
    with (cutout8 / 'MANIFEST.csv').open() as file:
        expected = list(csv.DictReader(file))
    assert [(row['file'], row['licence']) for row in listed] == [
        (row['file'], row['licence']) for row in expected
    ]
    assert all(
        there['source_file'].endswith(row['source'])
        for row, there in zip(listed, expected, strict=True)
    )
