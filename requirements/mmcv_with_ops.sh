#!/bin/sh
# Put mmcv with compiled operations in the place of the one without.
# Usage: mmcv_with_ops.sh INTERPRETER SPEC    for example .venv/bin/python onedl-mmcv==2.3.6
# Compiling takes a quarter of an hour on 2 cores, so the wheel is kept in
# BGAUG_WHEELS (default ~/.cache/bgaug_mm), for each Python, torch and kind of device.
set -eu
python=$1 spec=$2
"$python" -c 'import mmcv._ext' 2>/dev/null && exit 0
key=$("$python" -c "import sys, torch
print(f'cp3{sys.version_info[1]}-torch{torch.__version__}',
      'cuda' if torch.cuda.is_available() else 'cpu', sep='-')")
wheels="${BGAUG_WHEELS:-$HOME/.cache/bgaug_mm}/$key/$spec"
if ! ls "$wheels"/*.whl >/dev/null 2>&1; then
    echo "Compiling $spec for $key, which takes about a quarter of an hour on 2 cores …"
    # No isolation: it is compiled against the torch that is installed, and pip would make
    # an environment without one, hence a wheel without operations. That one may lie in
    # pip's cache.
    "$python" -m pip wheel --quiet --disable-pip-version-check --no-build-isolation --no-deps \
        --no-cache-dir --wheel-dir "$wheels.part" "$spec"
    rm -rf "$wheels" && mv "$wheels.part" "$wheels"
fi
# mmcv-lite owns the same folder.
"$python" -m pip uninstall --quiet --yes mmcv-lite 2>/dev/null
"$python" -m pip install --quiet --disable-pip-version-check --no-deps --force-reinstall "$wheels"/*.whl
