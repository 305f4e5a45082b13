#!/usr/bin/env bash
# Train with several processes: dist_train.sh CONFIG GPUS [options of train.py]
# On a machine without a GPU, GPUS processes train on the CPU over gloo.
# Several machines: NNODES, NODE_RANK, MASTER_ADDR and PORT, the same PORT on all.
# PYTHON names the interpreter (default: python).
set -euo pipefail

if [ $# -lt 2 ]; then
    echo "usage: $0 CONFIG GPUS [options of train.py]" >&2
    exit 2
fi
# shellcheck source=tools/_dist.sh
. "$(dirname "$0")/_dist.sh"
launch "$2" train.py "$1" "${@:3}"
