#!/bin/sh
# Print the first usable interpreter between Python 3.OLDEST and 3.NEWEST.
# Usage: find_python.sh OLDEST NEWEST [INTERPRETER]
# With INTERPRETER only that one is tried. "Usable" means that it starts (a
# pyenv shim may not), lies in the range and can make virtual environments.
oldest=$1 newest=$2 wanted=${3:-}

usable() {
    "$1" -c "
import ensurepip, sys, venv
sys.exit(not (3, $oldest) <= sys.version_info[:2] <= (3, $newest))" 2>/dev/null
}

if [ -n "$wanted" ]; then
    usable "$wanted" && command -v "$wanted" && exit 0
    echo "$wanted ($("$wanted" --version 2>&1 | tail -n 1)) cannot be used: Python 3.$oldest to 3.$newest with the modules venv and ensurepip is needed (Debian and Ubuntu: apt-get install python3-venv). Name another one with PYTHON= (classic stack: PYTHON_CLASSIC=)." >&2
    exit 1
fi

usable python3 && command -v python3 && exit 0
minor=$newest
while [ "$minor" -ge "$oldest" ]; do
    for candidate in "python3.$minor" "$HOME/.pyenv/versions/3.$minor".*/bin/python "$(uv python find "3.$minor" 2>/dev/null)"; do
        [ -n "$candidate" ] && usable "$candidate" && command -v "$candidate" && exit 0
    done
    minor=$((minor - 1))
done
echo "No Python between 3.$oldest and 3.$newest was found (python3 is: $(python3 --version 2>&1 | tail -n 1)). Install one (for example: pyenv install 3.11, or uv python install 3.11; on Debian and Ubuntu also python3-venv), or name one with PYTHON= (classic stack: PYTHON_CLASSIC=)." >&2
exit 1
