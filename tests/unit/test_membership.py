"""Publishing, snapshots and resets against a real league and checkpoint store."""

from __future__ import annotations

from pathlib import Path

import torch

from exphil_league.league.service import LocalLeague
from exphil_league.rl.membership import Membership
from policies import checkpoint
from policies.policy import Policy
from tests.rl_play import found_league, small_recipe

PLAYERS = ["main", "main_exploiter"]


def joined(run: Path) -> tuple[Membership, LocalLeague, Policy, str]:
    league, start = found_league(run, small_recipe())
    policy = checkpoint.load(run / "checkpoints" / start)
    members = Membership(league, run / "checkpoints", PLAYERS)
    for player in PLAYERS:
        assert members.join(player, policy) is None
    return members, league, policy, start


def trained(policy: Policy) -> Policy:
    with torch.no_grad():
        for weights in policy.parameters():
            weights.add_(0.01)
    return policy


def stored(run: Path) -> set[str]:
    return {path.name for path in (run / "checkpoints").iterdir()}


def test_superseded_checkpoints_go_and_snapshots_stay(tmp_path: Path) -> None:
    members, league, policy, start = joined(tmp_path)
    snapshots = set()
    for _ in range(5):
        members.standings["main"].env_frames += 250
        decision = members.update("main", trained(policy))
        if decision is not None:
            snapshots.add(decision.snapshot.digest)
    live = members.digests["main"]
    assert live == checkpoint.digest_of(policy) == league.learner("main").player.digest
    assert len(snapshots) == 1
    assert stored(tmp_path) == {start, live, *snapshots}


def test_an_exploiter_starts_again_after_its_snapshot(tmp_path: Path) -> None:
    members, league, policy, start = joined(tmp_path)
    members.standings["main_exploiter"].env_frames += 700
    decision = members.update("main_exploiter", trained(policy))
    assert decision is not None
    assert decision.reset_digest == start == members.digests["main_exploiter"]
    assert checkpoint.digest_of(members.policy_of(decision.snapshot.digest)) == checkpoint.digest_of(policy)
    assert members.standings["main_exploiter"].generation == league.learner("main_exploiter").generation == 1


def test_a_trainer_from_before_a_reset_takes_the_leagues_weights(tmp_path: Path) -> None:
    members, league, policy, start = joined(tmp_path)
    before = members.get_state()
    members.standings["main_exploiter"].env_frames += 700
    members.update("main_exploiter", trained(policy))

    late = Membership(league, tmp_path / "checkpoints", PLAYERS)
    late.set_state(before)
    assert late.join("main", policy) is None
    again = late.join("main_exploiter", policy)
    assert again is not None
    assert checkpoint.digest_of(again) == start
    assert late.get_state()["main_exploiter"] == {"env_frames": 700, "generation": 1, "digest": start}
