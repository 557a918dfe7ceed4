"""Rating games of a league: frozen players meet as the league asks, and every result goes back to it at once."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from envs.backends import make_backend
from envs.dolphin.config import DolphinConfig
from exphil_league.evaluation.matches import columns_needed, play_matches
from exphil_league.league.model import Job, MatchResult
from policies.agent import Agent

AGENTS_KEPT = 32

LoadAgent = Callable[[str, int], Agent]
"""(digest, capacity) -> the agent."""
OnRatingGame = Callable[[Job, MatchResult, NDArray[np.void]], None]


class RatingLeague(Protocol):
    """What rating games need of a league."""

    def request_evaluation(self, count: int, pair: tuple[str, str] | None = None) -> list[Job]: ...

    def report(self, results: Sequence[MatchResult]) -> object: ...


def play_rating_games(
    league: RatingLeague,
    load_agent: LoadAgent,
    *,
    backend_name: str,
    dolphin: DolphinConfig | None = None,
    at_once: int,
    games: int,
    pair: tuple[str, str] | None = None,
    deadline_s: float = float("inf"),
    record: Callable[[Job], bool] = lambda job: False,
    on_game: OnRatingGame = lambda job, result, frames: None,
    worker: str = "rating",
) -> int:
    """Play `games` rating games, `at_once` in parallel, of one pair or of the pairs the league finds informative.

    No game is begun after `deadline_s` (of `time.monotonic`). Each result is acknowledged by the league before
    `on_game` hears of it. Returns the number of games played.
    """
    if games <= 0:
        return 0
    backend = make_backend(backend_name, min(at_once, games), dolphin)

    def settled(job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
        league.report([result])
        on_game(job, result, frames)

    try:
        jobs = _jobs(league, games, backend.num_games, pair, deadline_s)
        cast = Cast(load_agent, columns_needed(backend.num_games))
        return len(play_matches(backend, jobs, cast, on_game=settled, record=record, worker=worker))
    finally:
        backend.close()


class Cast:
    """The agents of a series by digest; those used least recently are dropped."""

    def __init__(self, load_agent: LoadAgent, capacity: int) -> None:
        self._load, self._capacity = load_agent, capacity
        self._agents: OrderedDict[str, Agent] = OrderedDict()

    def __call__(self, player: str, digest: str) -> Agent:
        if digest not in self._agents:
            self._agents[digest] = self._load(digest, self._capacity)
            if len(self._agents) > AGENTS_KEPT:
                self._agents.popitem(last=False)
        self._agents.move_to_end(digest)
        return self._agents[digest]


def _jobs(
    league: RatingLeague, games: int, batch: int, pair: tuple[str, str] | None, deadline_s: float
) -> Iterator[Job]:
    """Jobs as they are wanted, leased a batch at a time so that the ratings steer the next batch."""
    left = games
    while left > 0 and time.monotonic() < deadline_s:
        leased = league.request_evaluation(min(batch, left), pair)
        left -= len(leased)
        yield from leased
