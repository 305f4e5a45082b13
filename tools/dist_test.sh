#!/usr/bin/env bash
# Test with several processes: dist_test.sh CONFIG CHECKPOINT GPUS [options of test.py]
# See dist_train.sh for the environment variables.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 CONFIG CHECKPOINT GPUS [options of test.py]" >&2
    exit 2
fi
# shellcheck source=tools/_dist.sh
. "$(dirname "$0")/_dist.sh"
launch "$3" test.py "$1" "$2" "${@:4}"
