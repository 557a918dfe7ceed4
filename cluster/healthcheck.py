"""Is the cluster what it should be? Exit status 0 if so, 1 with a list of what is not.

Run on a pod: `python -m cluster.healthcheck [--storage DIR] [--nodes N]`; `--this-pod` looks only at the pod it
runs on. The number of nodes is taken from NUM_NODES where the pod has it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

GIB = 1024**3
SHM_NEEDED_GIB = 8.0
CLOCK_SKEW_LIMIT_S = 2.0


def pod_facts(storage: str) -> dict[str, Any]:
    """What a pod reports of itself. Runs as a Ray task on every node, so it needs nothing but Ray."""
    import ray

    try:
        with tempfile.NamedTemporaryFile(dir=storage):
            storage_error = ""
    except OSError as error:
        storage_error = str(error)
    return {
        "host": os.uname().nodename,
        "ray": ray.__version__,
        "python": sys.version.split()[0],
        "shm_gib": shutil.disk_usage("/dev/shm").total / GIB,
        "storage_error": storage_error,
        "clock_s": time.time(),
    }


def pod_problems(facts: dict[str, Any], shm_needed_gib: float) -> Iterator[str]:
    """What is wrong on one pod."""
    if facts["shm_gib"] < shm_needed_gib:
        yield f"/dev/shm has {facts['shm_gib']:.1f} GiB, Ray wants {shm_needed_gib:g}"
    if facts["storage_error"]:
        yield f"storage is not writable: {facts['storage_error']}"


def cluster_problems(pods: list[dict[str, Any]], here: dict[str, Any], nodes: int, shm_gib: float) -> Iterator[str]:
    """What is wrong between the pods; `here` are the facts of the pod that asks."""
    if len(pods) != nodes:
        yield f"{len(pods)} of {nodes} nodes have joined"
    for pod in pods:
        for problem in pod_problems(pod, shm_gib):
            yield f"{pod['host']}: {problem}"
        for package in ("ray", "python"):
            if pod[package] != here[package]:
                yield f"{pod['host']}: {package} {pod[package]}, but {here[package]} on {here['host']}"
        if abs(pod["clock_s"] - pod["asked_s"]) > CLOCK_SKEW_LIMIT_S + pod["took_s"]:
            yield f"{pod['host']}: its clock differs by {pod['clock_s'] - pod['asked_s']:.1f} s"


def ask_all_pods(storage: str) -> list[dict[str, Any]]:
    """Facts of every living node, each gathered on the node itself, with the time of asking."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    ray.init(address="auto", log_to_driver=False)
    task: Any = ray.remote(num_cpus=0)(pod_facts)
    pods: list[dict[str, Any]] = []
    for node in ray.nodes():
        if not node["Alive"]:
            continue
        strategy = NodeAffinitySchedulingStrategy(node_id=node["NodeID"], soft=False)
        asked_s = time.time()
        facts: dict[str, Any] = ray.get(task.options(scheduling_strategy=strategy).remote(storage), timeout=60)
        pods.append(
            facts | {"asked_s": asked_s, "took_s": time.time() - asked_s, "gpus": node["Resources"].get("GPU", 0)}
        )
    ray.shutdown()
    return pods


def main() -> int:
    """Check and print; returns the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--storage", type=Path, default=Path.cwd(), help="folder that runs are written to")
    parser.add_argument("--nodes", type=int, default=int(os.environ.get("NUM_NODES", "1")))
    parser.add_argument("--shm-gib", type=float, default=SHM_NEEDED_GIB, help="shared memory every pod should have")
    parser.add_argument("--this-pod", action="store_true", help="look at this pod only, without asking the cluster")
    chosen = parser.parse_args()
    here = pod_facts(str(chosen.storage))
    if chosen.this_pod:
        problems = list(pod_problems(here, chosen.shm_gib))
    else:
        pods = ask_all_pods(str(chosen.storage))
        for pod in pods:
            print(f"{pod['host']}: Ray {pod['ray']}, {pod['gpus']:g} GPUs, /dev/shm {pod['shm_gib']:.1f} GiB")
        problems = list(cluster_problems(pods, here, chosen.nodes, chosen.shm_gib))
    for problem in problems:
        print(f"PROBLEM {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
