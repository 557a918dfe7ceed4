"""Weights on nodes with separate folders: what one publishes another plays, by way of the head and Ray alone."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ray
from ray.cluster_utils import Cluster
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

from exphil_league.rl import weights
from exphil_league.rl.partners import load_agent
from policies import checkpoint
from policies.policy import Policy
from tests.unit.policy_fixtures import small_policy

ray.cloudpickle.register_pickle_by_value(sys.modules[__name__])  # nodes import no tests

STORE = Path("checkpoints")
"""The path that all nodes use; each task runs in its own node's folder."""


@pytest.fixture(scope="module")
def nodes() -> Iterator[list[str]]:
    """Ids of two nodes without a head's folder."""
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    added = [cluster.add_node(num_cpus=1) for _ in range(2)]
    ray.init(address=cluster.address, log_to_driver=False)
    yield [node.node_id for node in added]
    ray.shutdown()
    cluster.shutdown()


def on(node: str, function: Any, *arguments: Any) -> Any:
    there = NodeAffinitySchedulingStrategy(node, soft=False)
    return ray.get(ray.remote(num_cpus=1)(function).options(scheduling_strategy=there).remote(*arguments))


def publishes(folder: Path, policy: Policy) -> str:
    os.chdir(folder)
    return weights.save(policy, STORE, {})


def plays(folder: Path, digest: str) -> tuple[str, list[str]]:
    os.chdir(folder)
    return load_agent(STORE, 0, digest, 1).digest, sorted(os.listdir(STORE))


def discards(folder: Path, digest: str) -> None:
    os.chdir(folder)
    weights.discard(STORE, digest)


@pytest.mark.slow
def test_a_runner_plays_what_a_learner_elsewhere_published(nodes: list[str], tmp_path: Path) -> None:
    head, learner, runner = (tmp_path / name for name in ("head", "learner", "runner"))
    for folder in (head, learner, runner):
        folder.mkdir()
    server = weights.serve(STORE, head / STORE)
    warm_start = checkpoint.save(small_policy("gru", 0, seed=1), head / STORE)
    published = on(nodes[0], publishes, learner, small_policy("gru", 0, seed=2))
    assert published != warm_start
    assert on(nodes[1], plays, runner, warm_start) == (warm_start, [warm_start])
    assert on(nodes[1], plays, runner, published) == (published, sorted([warm_start, published]))
    assert checkpoint.digest_of(checkpoint.load(head / STORE / published)) == published
    on(nodes[0], discards, learner, published)
    assert not (head / STORE / published).exists()
    assert not (learner / STORE / published).exists()
    with pytest.raises(Exception, match="no policy checkpoint"):
        on(nodes[0], plays, learner, published)
    weights.close(server)
