#!/usr/bin/env python
"""Make the pool of photographic cut-outs and textures that the challenge may be made of.

    make_cutout8.py data/cutout8
    make_cutout8.py data/cutout8 --debs tuxpaint-stamps-default_*.deb ufoai-textures_*.deb

Takes 241 cut-outs in 8 classes and 235 textures in 8 classes out of the Debian packages
tuxpaint-stamps-default and ufoai-textures, which `apt-get download` fetches (497 MB; no
root, nothing is installed). cutout8.csv beside this tool lists which: signs, cartoons,
silhouettes, mirrored duplicates and plain tiles were left out by eye. The pictures keep
their own licences, mostly the GPL: see OUT/MANIFEST.csv and OUT/licenses.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import os
import sys
import tempfile
from io import BytesIO
from pathlib import Path

import numpy as np
from debian_packages import Package, download, read_package
from PIL import Image

ROOT = Path(__file__).resolve().parents[2]
if (ROOT / 'bgaug_mm').is_dir():  # a source tree is used without installing it
    sys.path.insert(0, str(ROOT))

from bgaug_mm.saliency.progress import Progress  # noqa: E402

LIST = Path(__file__).with_name('cutout8.csv')

PACKAGES = {
    'cutouts': Package('tuxpaint-stamps-default', '2022.06.04-1', 'usr/share/tuxpaint/stamps/'),
    'textures': Package(
        'ufoai-textures', '2.5-2', 'usr/share/games/ufoai/base/0textures.pk3!textures/'
    ),
}
README = """\
# Photographic cut-outs and textures

`cutouts/<class>/*.png`: RGBA, alpha is the mask; `textures/<class>/*.jpg`. Reduced from
pictures of the Debian packages tuxpaint-stamps-default and ufoai-textures by
make_cutout8.py. `MANIFEST.csv` names source and licence of each; `licenses/` holds the
packages' copyright files. Mostly GPL: mind that before passing them on.
"""
_LONGEST, _SIDE, _QUALITY = 160, 256, 90
_COMMON_LICENSES = Path('/usr/share/common-licenses')


def cutout(content: bytes) -> bytes:
    """Trim a cut-out and reduce it to 160 px, as PNG.

    Colours are weighted by alpha, in floating point, so that nothing hidden shows.
    """
    picture = Image.open(BytesIO(content)).convert('RGBA')
    visible = picture.getchannel('A').point(lambda alpha: 255 * (alpha > 12))
    picture = picture.crop(visible.getbbox())
    scale = _LONGEST / max(picture.size)
    if scale < 1:
        size = tuple(max(1, round(scale * side)) for side in picture.size)
        pixels = np.asarray(picture).astype(np.float32)

        def reduced(channel: np.ndarray) -> np.ndarray:
            return np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.LANCZOS))

        alpha = np.clip(reduced(pixels[..., 3]), 0, 255)
        weight = pixels[..., 3] / np.float32(255)
        weighted = np.dstack([reduced(pixels[..., i] * weight) for i in range(3)])
        colour = weighted * np.float32(255) / np.maximum(alpha, 1e-3)[..., None]
        colour[alpha <= 2] = 0  # nothing but rounding
        out = np.rint(np.clip(np.dstack([colour, alpha]), 0, 255)).astype(np.uint8)
        picture = Image.fromarray(out)
    buffer = BytesIO()
    picture.save(buffer, 'PNG', optimize=True)
    return buffer.getvalue()


def texture(content: bytes) -> bytes:
    """The middle square of a texture at 256 px, as JPEG."""
    picture = Image.open(BytesIO(content)).convert('RGB')
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    square = picture.crop((left, top, left + side, top + side))
    buffer = BytesIO()
    square.resize((_SIDE, _SIDE), Image.Resampling.LANCZOS).save(buffer, 'JPEG', quality=_QUALITY)
    return buffer.getvalue()


def make_pool(root: Path, debs: list[Path], *, any_version: bool = False) -> str:
    """Write the pool's files below a folder.

    Returns:
        What to say about files that the list names and the packages lack, or ''.

    Raises:
        ValueError: If a package is missing or cannot be read; if it has another content
            than the list says and ``any_version`` is off.
    """
    with open(LIST, encoding='utf-8', newline='') as file:
        rows = list(csv.DictReader(file))
    manifest = [['file', 'class', 'source_package', 'source_file', 'licence', 'sha256']]
    missing, changed = [], []
    for kind, package in PACKAGES.items():
        deb = next((path for path in debs if path.name.startswith(f'{package.name}_')), None)
        if deb is None:
            raise ValueError(f'no {package.name}_*.deb among {[str(path) for path in debs]}')
        own = [row for row in rows if row['file'].startswith(f'{kind}/')]
        found = read_package(deb, package, {row['source'] for row in own}, root)
        progress = Progress(len(own), name=kind, unit='pictures')
        if 'copyright' in found:
            _write(root / 'licenses' / f'{package.name}.copyright', found['copyright'])
        for row in own:
            progress.advance(1)
            content = found.get(row['source'])
            if content is None:
                missing.append(f'{deb.name}: {package.prefix}{row["source"]}')
                continue
            if hashlib.sha256(content).hexdigest() != row['sha256']:
                changed.append(f'{deb.name}: {package.prefix}{row["source"]}')
            made = cutout(content) if kind == 'cutouts' else texture(content)
            _write(root / row['file'], made)
            manifest.append([
                row['file'], row['file'].split('/')[1], deb.name.removesuffix('_all.deb'),
                package.prefix + row['source'], row['licence'], hashlib.sha256(made).hexdigest(),
            ])  # fmt: skip
        progress.close()
    faults = ''
    for files, fault in ((missing, 'not there'), (changed, 'others than listed')):
        if files:
            faults += f'{len(files)} of {len(rows)} files are {fault}, the first is {files[0]}; '
    if faults and not any_version:
        versions = ' and '.join(f'{p.name} {p.version}' for p in PACKAGES.values())
        raise ValueError(f'{faults}the list is of {versions}; --any-version takes what is there')
    with open(root / 'MANIFEST.csv', 'w', encoding='utf-8', newline='') as file:
        csv.writer(file, lineterminator='\n').writerows(manifest)
    _write(root / 'README.md', README.encode())
    for name in ('GPL-2', 'GPL-3'):
        if (_COMMON_LICENSES / name).is_file():
            _write(root / f'licenses/{name}.txt', (_COMMON_LICENSES / name).read_bytes())
    return faults


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def main(argv: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('out', type=Path, help='folder of the pool, made here')
    parser.add_argument('--debs', type=Path, nargs='+', help='the packages, fetched before')
    parser.add_argument(
        '--any-version', action='store_true', help='also take packages other than the listed ones'
    )
    args = parser.parse_args(argv)
    out: Path = args.out
    if (out / 'MANIFEST.csv').is_file():
        print(f'{out}: already there')
        return
    try:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise FileExistsError(f'{out} holds something else; choose another folder')
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f'.{out.name}.', dir=out.parent) as folder:
            root, packages = Path(folder, 'pool'), Path(folder, 'packages')
            root.mkdir()
            packages.mkdir()
            debs = args.debs or download([p.name for p in PACKAGES.values()], packages)
            faults = make_pool(root, debs, any_version=args.any_version)
            os.replace(root, out)  # whole or not at all; an empty folder gives way
    except (ValueError, OSError) as error:
        sys.exit(f'make_cutout8: {error}')
    print(f'{faults}{out}: made')


if __name__ == '__main__':
    main()
