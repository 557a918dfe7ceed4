"""Frozen opponents of a runner: a small cache of agents by digest, and the seats that they play.

However large the league's pool grows, a runner holds at most `limit` opponents: those of its running games,
then the most recently used ones.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.frame import FRAME, words_i32
from policies.agent import Agent, Resumable, SeatView
from policies.parties import Parties

LoadAgent = Callable[[str, int], Agent]
"""(digest, capacity) -> an agent that plays up to `capacity` columns."""


class OpponentCache:
    """Agents by digest, the least recently used one dropped first; an agent in use is never dropped."""

    def __init__(self, load_agent: LoadAgent, capacity: int, limit: int) -> None:
        self._load_agent = load_agent
        self._capacity = capacity
        self._limit = limit
        self._agents: OrderedDict[str, Agent] = OrderedDict()
        self._users: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._agents)

    @property
    def agents(self) -> list[Agent]:
        """Everybody held, least recently used first."""
        return list(self._agents.values())

    @property
    def active(self) -> list[str]:
        """Digests that games are being played against, oldest first."""
        return [digest for digest in self._agents if self._users.get(digest)]

    def acquire(self, digest: str, touch: bool = True) -> Agent:
        """The agent of `digest`, loaded if need be; every `acquire` needs its `release`. `touch`: as just used."""
        agent = self._agents.get(digest)
        if agent is None:
            self._make_room()
            agent = self._agents[digest] = self._load_agent(digest, self._capacity)
        if touch:
            self._agents.move_to_end(digest)
        self._users[digest] = self._users.get(digest, 0) + 1
        return agent

    def release(self, digest: str) -> None:
        """One game against `digest` is over."""
        self._users[digest] -= 1
        if not self._users[digest]:
            del self._users[digest]

    def get(self, digest: str) -> Agent:
        """The cached agent of an acquired digest."""
        return self._agents[digest]

    def get_state(self) -> dict[str, dict[str, Any] | None]:
        """What each agent remembers, by digest, least recently used first; None where it cannot tell."""
        return {d: agent.get_state() if isinstance(agent, Resumable) else None for d, agent in self._agents.items()}

    def set_state(self, state: Mapping[str, dict[str, Any] | None]) -> None:
        """Hold the same agents, with what they remembered, nobody using them yet."""
        self._agents.clear()
        self._users.clear()
        for digest, remembered in state.items():
            agent = self._agents[digest] = self._load_agent(digest, self._capacity)
            if remembered is not None and isinstance(agent, Resumable):
                agent.set_state(remembered)

    def _make_room(self) -> None:
        idle = [digest for digest in self._agents if digest not in self._users]
        while len(self._agents) >= self._limit and idle:
            del self._agents[idle.pop(0)]


class FrozenSeats:
    """The seats that opponents play in the one-seat games: networks of one spec together, everybody else alone.

    A column is the position of a game among the one-seat games; memory is kept by column.
    """

    def __init__(self, games: NDArray[np.int64], cache: OpponentCache) -> None:
        self._games = games
        self._column_of = {int(game): column for column, game in enumerate(games)}
        self._seats = np.zeros(len(games), np.int64)
        self._digests: list[str | None] = [None] * len(games)
        self._cache = cache
        self._parties = Parties()

    def assign(self, game: int, seat: int, digest: str) -> None:
        """`digest` plays `seat` of `game` from its next frame on, with an empty memory."""
        column = self._column_of[game]
        previous = self._digests[column]
        agent = self._cache.acquire(digest)
        if previous is not None:
            self._cache.release(previous)
        self._seats[column] = seat
        self._digests[column] = digest
        if previous != digest:
            self._regroup()
        self._parties.reset(agent, np.array([column], np.int64))

    @property
    def copied_bytes(self) -> int:
        """Memory of the weights that are copied for acting together."""
        return self._parties.copied_bytes

    def refresh(self, digests: Iterable[str]) -> None:
        """The weights of these players may have changed; those that nobody meets are left aside."""
        for digest in set(digests).intersection(self._cache.active):
            self._parties.refresh(self._cache.get(digest))

    def get_state(self) -> dict[str, Any]:
        """Who sits where, and what all of them remember."""
        return {
            "seats": self._seats.copy(),
            "digests": list(self._digests),
            "agents": self._cache.get_state(),
            "ensembles": self._parties.get_state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state` of seats of the same games."""
        self._cache.set_state(state["agents"])
        self._parties = Parties()
        self._seats[...] = state["seats"]
        self._digests = list(state["digests"])
        for digest in self._digests:
            if digest is not None:
                self._cache.acquire(digest, touch=False)
        self._regroup()
        self._parties.set_state(state["ensembles"])

    def act(
        self,
        frames: NDArray[np.void],
        floats: NDArray[np.float32],
        ids: NDArray[np.int32],
        pressed: NDArray[np.uint8],
    ) -> None:
        """Write the opponents' parts into `pressed` [N, P, 6]; floats [N, P, F], ids [N, P, K], frames [N]."""
        words = words_i32(frames)  # numpy copies structured rows field by field
        for player, columns in self._parties:
            games, seats = self._games[columns], self._seats[columns]
            view = SeatView(words[games].view(FRAME)[:, 0], seats, floats[games, seats], ids[games, seats])
            pressed[games, seats] = player.act(view, columns)

    def _regroup(self) -> None:
        grouped: dict[str, list[int]] = {}
        for column, digest in enumerate(self._digests):
            if digest is not None:
                grouped.setdefault(digest, []).append(column)
        self._parties.seat((self._cache.get(digest), np.array(own, np.int64)) for digest, own in grouped.items())
