# shellcheck shell=bash
# Sourced by dist_train.sh and dist_test.sh.

# launch GPUS TOOL [arguments of the tool]
launch() {
    local gpus=$1 tool=$2 python=${PYTHON:-python} tools machine have cores free_port
    tools=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
    if ! [[ $gpus =~ ^[1-9][0-9]*$ ]]; then
        echo "error: GPUS must be a number from 1, but got '$gpus'" >&2
        exit 2
    fi
    machine=$("$python" - <<'EOF'
import os, socket
try:
    import torch
except ImportError:
    raise SystemExit('error: torch is not installed for this python; set PYTHON, or see README.md')
with socket.socket() as free:
    free.bind(('', 0))
    port = free.getsockname()[1]
cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
print(torch.cuda.device_count(), cores, port)
EOF
    ) || exit 2
    read -r have cores free_port <<<"$machine"
    if [ "$have" -gt 0 ] && [ "$gpus" -gt "$have" ]; then
        echo "error: $gpus GPUs were asked for, but this machine has $have" >&2
        exit 2
    fi
    if [ "$have" -eq 0 ]; then
        export OMP_NUM_THREADS=${OMP_NUM_THREADS:-$((cores > gpus ? cores / gpus : 1))}
    fi
    if [ "${NNODES:-1}" -gt 1 ]; then
        free_port=29500 # all machines must know it
    fi
    # A source tree is used without installing it.
    if [ -d "$tools/../bgaug_mm" ]; then
        export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
    fi
    exec "$python" -m torch.distributed.run \
        --nnodes="${NNODES:-1}" \
        --node_rank="${NODE_RANK:-0}" \
        --master_addr="${MASTER_ADDR:-127.0.0.1}" \
        --master_port="${PORT:-$free_port}" \
        --nproc_per_node="$gpus" \
        "$tools/$tool" "${@:3}" --launcher pytorch
}
