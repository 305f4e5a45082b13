"""Files out of Debian packages, without root and without installing them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, NamedTuple

_ZST = sys.version_info >= (3, 14)  # what tarfile can unpack


class Package(NamedTuple):
    """A Debian package and where its pictures are: a folder, or one in a zip archive (!)."""

    name: str
    version: str  # that the list was made from
    prefix: str


def download(names: Sequence[str], folder: Path) -> list[Path]:
    """Fetch packages into a folder with ``apt-get download``; nothing is installed.

    Raises:
        OSError: If that fails, with what to do by hand.
    """
    by_hand = (
        f'fetch the packages {" and ".join(names)} from https://packages.debian.org and name the '
        'files with --debs'
    )
    print(f'fetching {" and ".join(names)}', flush=True)
    try:
        subprocess.run(['apt-get', 'download', '-qq', *names], cwd=folder, check=True)
    except FileNotFoundError:
        raise OSError(f'there is no apt-get here; {by_hand}') from None
    except subprocess.CalledProcessError as error:
        raise OSError(
            f'`apt-get download` ended with status {error.returncode} (`apt-get update` may help); '
            f'or {by_hand}'
        ) from None
    return sorted(folder.glob('*.deb'))


@contextmanager
def open_deb(deb: Path) -> Iterator[tarfile.TarFile]:
    """The files of a Debian package, as a stream.

    Raises:
        ValueError: If it is none, or packed in a way that nothing here can unpack.
    """
    if shutil.which('dpkg-deb'):
        command = ['dpkg-deb', '--fsys-tarfile', str(deb)]
        with (
            subprocess.Popen(command, stdout=subprocess.PIPE) as process,
            _tar(process.stdout, deb, 'r|') as tar,
        ):
            yield tar
        return
    with open(deb, 'rb') as file:
        name = _seek_data(file, deb)
        if name.endswith('.zst') and not _ZST:
            raise ValueError(f'{deb}: its {name} needs dpkg-deb, or Python 3.14, to be unpacked')
        with _tar(file, deb, 'r|*') as tar:
            yield tar


def _seek_data(file: IO[bytes], deb: Path) -> str:
    """Go to the start of data.tar.… in an ar archive; its name."""
    if file.read(8) == b'!<arch>\n':
        while len(header := file.read(60)) == 60:
            name, size = header[:16].decode('ascii', 'replace').rstrip(' /'), int(header[48:58])
            if name.startswith('data.tar'):
                return name
            file.seek(size + size % 2, 1)
    raise ValueError(f'{deb} is not a Debian package, or an incomplete one')


@contextmanager
def _tar(file: Any, deb: Path, mode: str) -> Iterator[tarfile.TarFile]:
    try:
        with tarfile.open(fileobj=file, mode=mode) as tar:
            yield tar
    except tarfile.TarError as error:
        raise ValueError(f'{deb} cannot be unpacked: {error}') from None


def read_package(deb: Path, package: Package, wanted: set[str], folder: Path) -> dict[str, bytes]:
    """The wanted files, by path below the prefix, and its licence, as ``copyright``.

    Args:
        deb: The package's file.
        package: What it holds.
        wanted: Paths below the prefix.
        folder: For an archive inside, while it is read.
    """
    outer, archive, inner = package.prefix.partition('!')
    found: dict[str, bytes] = {}
    with open_deb(deb) as tar:
        for member in tar:
            name = member.name.removeprefix('./')
            if name == f'usr/share/doc/{package.name}/copyright':
                found['copyright'] = tar.extractfile(member).read()
            elif archive and name == outer:
                with open(folder / 'archive', 'wb') as file:
                    shutil.copyfileobj(tar.extractfile(member), file)
            elif not archive and name.startswith(outer) and name[len(outer) :] in wanted:
                found[name[len(outer) :]] = tar.extractfile(member).read()
    if archive and (folder / 'archive').is_file():
        try:
            with zipfile.ZipFile(folder / 'archive') as files:
                for name in files.namelist():
                    if name.startswith(inner) and name[len(inner) :] in wanted:
                        found[name[len(inner) :]] = files.read(name)
        except zipfile.BadZipFile as error:
            raise ValueError(f'{deb}: {outer} in it cannot be unpacked: {error}') from None
        (folder / 'archive').unlink()
    return found
