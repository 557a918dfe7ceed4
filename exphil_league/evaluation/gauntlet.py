"""`eval`: agents against opponents, seats balanced, with the win rate of each pair and its interval."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.backends import make_backend
from exphil_league.errors import UserError
from exphil_league.evaluation.matches import columns_needed, pair_jobs, play_matches
from exphil_league.evaluation.players import load_player
from exphil_league.evaluation.recovery import Recoveries
from exphil_league.evaluation.score import score_of
from exphil_league.league.model import Job, MatchResult
from exphil_league.observe.progress import progress

DEFAULT_OPPONENTS = ("random", "walker", "attacker", "fighter")
MAX_AT_ONCE = 64


def matchups_on(stages: Sequence[str], characters: tuple[str, str] = ("FOX", "FOX")) -> tuple[Matchup, ...]:
    """One stock and at most a minute on each stage: many short games say more about strength than few long ones."""
    return tuple(Matchup(characters=characters, stage=stage, stocks=1, time_limit_s=60.0) for stage in stages)


DEFAULT_MATCHUPS = matchups_on(("FINAL_DESTINATION", "BATTLEFIELD"))


def run_eval(
    agents: Sequence[str],
    opponents: Sequence[str] = DEFAULT_OPPONENTS,
    games: int = 100,
    *,
    matchups: Sequence[Matchup] = DEFAULT_MATCHUPS,
    seed: int = 1,
    backend: str = "sim",
) -> dict[str, Any]:
    """Every agent plays `games` games against every opponent; names as in `load_player`.

    Returns {"backend", "version", "seed", "matches": [{"agent", "agent_digest", "opponent", "opponent_digest",
    "games", "rate", "low", "high", ..., "recovery": {"agent", "opponent": see Recoveries.of}}]}, rates from the
    agent's side. Raises UserError for an unknown player.
    """
    if games < 1:
        raise UserError(f"--games is {games}; it must be at least 1")
    batch = make_backend(backend, min(games, MAX_AT_ONCE))
    try:
        rows = [_play_pair(batch, agent, opponent, games, matchups, seed) for agent in agents for opponent in opponents]
        return {"backend": batch.name, "version": batch.version, "seed": seed, "matches": rows}
    finally:
        batch.close()


def _play_pair(
    batch: Any, agent: str, opponent: str, games: int, matchups: Sequence[Matchup], seed: int
) -> dict[str, Any]:
    capacity = columns_needed(batch.num_games)
    players = (load_player(agent, capacity, seed), load_player(opponent, capacity, seed + 1))
    ids = ("agent", "opponent")
    by_id = dict(zip(ids, players, strict=True))
    played: list[tuple[Job, MatchResult]] = []
    recoveries = Recoveries()
    with progress(f"{agent} against {opponent}", total=games, unit="games") as shown:

        def note(job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
            played.append((job, result))
            recoveries.offer(job, frames)
            shown.advance(1)

        jobs = pair_jobs(ids, (players[0].digest, players[1].digest), matchups, games, seed)
        play_matches(batch, jobs, lambda name, digest: by_id[name], on_game=note, record=recoveries.wants)
    return {
        "agent": agent,
        "agent_digest": players[0].digest,
        "opponent": opponent,
        "opponent_digest": players[1].digest,
        **score_of(ids[0], played).row(),
        "recovery": {name: recoveries.of(name) for name in ids},
    }
