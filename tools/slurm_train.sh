#!/usr/bin/env bash
# Train on a Slurm cluster: slurm_train.sh PARTITION JOB_NAME CONFIG [options of train.py]
# GPUS (all, default 8), GPUS_PER_NODE (8), CPUS_PER_TASK (5), SRUN_ARGS, PYTHON.
set -euo pipefail

if [ $# -lt 3 ]; then
    echo "usage: $0 PARTITION JOB_NAME CONFIG [options of train.py]" >&2
    exit 2
fi
tools=$(cd "$(dirname "$0")" && pwd)
gpus=${GPUS:-8}
gpus_per_node=${GPUS_PER_NODE:-$((gpus < 8 ? gpus : 8))}
read -ra srun_args <<<"${SRUN_ARGS:-}"
if [ -d "$tools/../bgaug_mm" ]; then
    export PYTHONPATH="$tools/..${PYTHONPATH:+:$PYTHONPATH}"
fi

exec srun -p "$1" \
    --job-name="$2" \
    --gres="gpu:$gpus_per_node" \
    --ntasks="$gpus" \
    --ntasks-per-node="$gpus_per_node" \
    --cpus-per-task="${CPUS_PER_TASK:-5}" \
    --kill-on-bad-exit=1 \
    ${srun_args[@]+"${srun_args[@]}"} \
    "${PYTHON:-python}" -u "$tools/train.py" "$3" --launcher slurm "${@:4}"
