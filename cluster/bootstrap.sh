#!/usr/bin/env bash
# Runs Ray on one pod, for as long as the pod lives: the head where NODE_RANK is 0, else a worker of it.
#
# Reads   NODE_RANK      this pod's number; 0 is the head (default 0: a single pod)
#         NODE_ADDR      this pod's address in the private network (default: loopback, a single pod)
#         PRIMARY_ADDR   the head's address there (workers only)
#         RAY_AUTH_TOKEN_PATH  file with the cluster's token, equal on all pods
#         PUBLIC_KEY     SSH key that may log in; without it no sshd is started
# A restarted pod joins again, because this starts Ray in a loop. All ports are pinned and none needs to be
# public: jobs are submitted through an SSH tunnel.
set -euo pipefail

NODE_RANK="${NODE_RANK:-0}"
NODE_ADDR="${NODE_ADDR:-127.0.0.1}"
HEAD_PORT=6379
SHM_NEEDED_KIB=$((8 * 1024 * 1024))

export RAY_AUTH_MODE=token
export NCCL_SOCKET_IFNAME="${NCCL_SOCKET_IFNAME:-ens1}" # RunPod's private network; eth0 leads to the internet only

if [[ ! -s "${RAY_AUTH_TOKEN_PATH:-}" ]]; then
    echo "RAY_AUTH_TOKEN_PATH must name a file with the cluster's token: without one, whoever reaches a port runs code" >&2
    exit 2
fi

shm_kib="$(df --output=size /dev/shm | tail -1)"
if ((shm_kib < SHM_NEEDED_KIB)); then
    echo "warning: /dev/shm has $((shm_kib / 1024)) MiB; Ray falls back to files below 8 GiB and slows down" >&2
fi

if [[ -n "${PUBLIC_KEY:-}" ]]; then
    mkdir -p ~/.ssh /run/sshd
    chmod 700 ~/.ssh
    grep -qxF "$PUBLIC_KEY" ~/.ssh/authorized_keys 2>/dev/null || echo "$PUBLIC_KEY" >>~/.ssh/authorized_keys
    chmod 600 ~/.ssh/authorized_keys
    ssh-keygen -A
    /usr/sbin/sshd
fi

ports=(
    --node-ip-address="$NODE_ADDR"
    --node-manager-port=6380
    --object-manager-port=6381
    --runtime-env-agent-port=6382
    --dashboard-agent-grpc-port=6383
    --metrics-export-port=6384
    --dashboard-agent-listen-port=6385
    --min-worker-port=10100
    --max-worker-port=10999
    --disable-usage-stats
    --block
)

while true; do
    if [[ "$NODE_RANK" == 0 ]]; then
        ray start --head --port="$HEAD_PORT" --dashboard-host=127.0.0.1 --dashboard-port=8265 \
            --ray-client-server-port=10001 "${ports[@]}" || true
    else
        until timeout 3 bash -c "</dev/tcp/${PRIMARY_ADDR:?}/$HEAD_PORT" 2>/dev/null; do sleep 2; done
        ray start --address="$PRIMARY_ADDR:$HEAD_PORT" "${ports[@]}" || true
    fi
    echo "Ray ended on node $NODE_RANK; starting it again in 5 s" >&2
    sleep 5
done
