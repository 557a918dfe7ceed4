"""Matches between fixed players, many games at once.

One batch holds N games of a Backend; a game that ends is filled with the next job at once. Every distinct
player is one `Agent`, asked once per frame for all its seats together, networks of one spec in one forward: seat s of
game n is column 2n + s. Who plays what is a `Job`, what came of it a `MatchResult`, as everywhere in the league.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import zip_longest

import numpy as np
from numpy.typing import NDArray

from envs.backend import RESULT, Backend, EndedBy, Matchup
from envs.controller import NEUTRAL_PARTS, PARTS, decode
from envs.frame import FRAME, SEATS, words_i32
from envs.observation import Observation, observe
from exphil_league.evaluation.tape import Tape
from exphil_league.league.model import Branch, Job, MatchResult, Outcome, Purpose
from policies.agent import Agent, SeatView
from policies.parties import Parties

AgentOf = Callable[[str, str], Agent]
"""The agent of a player id and digest; asked again for every game, so it should keep what it made."""
OnGame = Callable[[Job, MatchResult, NDArray[np.void]], None]
"""Gets a finished game: its job, result and recorded frames [T] FRAME (empty unless recorded)."""


def columns_needed(num_games: int) -> int:
    """Capacity an agent must have to play in `num_games` games at once."""
    return SEATS * num_games


def play_matches(
    backend: Backend,
    jobs: Iterable[Job],
    agent_of: AgentOf,
    *,
    on_game: OnGame | None = None,
    record: Callable[[Job], bool] = lambda job: False,
    worker: str = "local",
) -> list[MatchResult]:
    """Play all jobs on the backend and return their results in the order in which the games ended.

    `jobs` may be a generator: it is read only as games become free, so ending it ends the series. `record`
    says which games' frames are kept for `on_game`.
    """
    return _Series(backend, iter(jobs), agent_of, on_game, record, worker).play()


def pair_jobs(
    players: tuple[str, str], digests: tuple[str, str], matchups: Sequence[Matchup], games: int, seed: int
) -> list[Job]:
    """`games` evaluation jobs of two players, matchups in turn; each game is followed by its mirror image with the
    seats (and so ports and starting sides) exchanged, played on the same seed."""
    jobs = []
    for game in range(games):
        swapped = game % 2 == 1
        order = (1, 0) if swapped else (0, 1)
        job = Job(
            job_id=f"{players[0]}-{players[1]}-{seed}-{game}",
            players=(players[order[0]], players[order[1]]),
            digests=(digests[order[0]], digests[order[1]]),
            matchup=matchups[game // 2 % len(matchups)],
            branch=Branch.EVALUATION,
            learner_sides=(False, False),
            seed=(seed * 1_000_003 + game // 2) % 2**63,
            lease_until=float("inf"),
            purpose=Purpose.EVALUATE,
        )
        characters = job.matchup.characters
        if swapped and characters[0] != characters[1]:
            job = replace(job, matchup=replace(job.matchup, characters=characters[::-1]))
        jobs.append(job)
    return jobs


class _Series:
    """State of one `play_matches` call: which job each game of the batch plays, and who sits where."""

    def __init__(
        self,
        backend: Backend,
        jobs: Iterator[Job],
        agent_of: AgentOf,
        on_game: OnGame | None,
        record: Callable[[Job], bool],
        worker: str,
    ) -> None:
        self._backend, self._jobs, self._agent_of = backend, jobs, agent_of
        self._on_game, self._record, self._worker = on_game, record, worker
        n = backend.num_games
        self._playing: list[Job | None] = [None] * n
        self._tapes: list[Tape | None] = [None] * n
        self._seated: list[Agent | None] = [None] * columns_needed(n)  # who plays each column
        self._parties = Parties()
        self._parts = np.tile(NEUTRAL_PARTS, (columns_needed(n), 1))
        self._results: list[MatchResult] = []

    def play(self) -> list[MatchResult]:
        frames = self._fill(np.arange(self._backend.num_games), first=True)
        seen: Observation | None = None
        while len(self._parties):
            seen = observe(frames, seen)
            self._act(frames, seen)
            frames = self._backend.step(decode(self._parts.reshape(-1, SEATS, len(PARTS))))
            self._keep(frames, range(self._backend.num_games))
            ended = np.flatnonzero(self._backend.done & self._busy())
            if len(ended):
                self._finish(ended)
                frames = self._fill(ended)
        return self._results

    def _busy(self) -> NDArray[np.bool_]:
        return np.array([job is not None for job in self._playing])

    def _act(self, frames: NDArray[np.void], seen: Observation) -> None:
        floats = seen.floats.reshape(-1, seen.floats.shape[-1])
        ids = seen.ids.reshape(-1, seen.ids.shape[-1])
        words = words_i32(frames)  # numpy copies structured rows field by field
        for player, columns in self._parties:
            rows = words[columns // SEATS].view(FRAME)[:, 0]
            self._parts[columns] = player.act(SeatView(rows, columns % SEATS, floats[columns], ids[columns]), columns)

    def _keep(self, frames: NDArray[np.void], games: Iterable[int]) -> None:
        """Record these games' frames [N], where a record is wanted."""
        words = words_i32(frames)
        for n in games:
            tape = self._tapes[n]
            if tape is not None:
                tape.append(words[n])

    def _finish(self, ended: NDArray[np.int64]) -> None:
        for n in ended:
            job, tape = self._playing[n], self._tapes[n]
            first, second = self._seated[SEATS * n : SEATS * n + SEATS]
            assert job is not None
            assert first is not None
            assert second is not None
            digests = (first.digest, second.digest)
            result = match_result(job, self._backend.result[n], digests, self._worker)
            self._results.append(result)
            if self._on_game is not None:
                self._on_game(job, result, np.empty(0, FRAME) if tape is None else tape.frames())

    def _fill(self, free: NDArray[np.int64], *, first: bool = False) -> NDArray[np.void]:
        """Start the next jobs in the free games; games without a job stay idle. Returns frames [N]."""
        jobs = [job for _, job in zip(free, self._jobs, strict=False)]
        rows = np.stack([job.row() for job in jobs] or [Matchup().row()])
        # At the start every game must hold something: surplus games repeat a matchup and are never looked at.
        started = free if first else free[: len(jobs)]
        mask = np.zeros(self._backend.num_games, np.bool_)
        mask[started] = True
        matchups = np.repeat(rows[:1], len(mask), axis=0)
        seeds = np.zeros(len(mask), np.uint64)
        for n, job, row in zip_longest(free, jobs, rows[: len(jobs)]):
            self._seat(n, job)
            if job is not None:
                matchups[n], seeds[n] = row, job.seed
        self._regroup(free)
        frames = self._backend.reset(mask, matchups, seeds)
        self._keep(frames, free[: len(jobs)])
        return frames

    def _seat(self, n: int, job: Job | None) -> None:
        """Give both seats of game n to the job's players; without a job, to nobody."""
        self._playing[n] = job
        self._tapes[n] = Tape() if job is not None and self._record(job) else None
        for seat in range(SEATS):
            column = SEATS * n + seat
            self._seated[column] = None if job is None else self._agent_of(job.players[seat], job.digests[seat])
            self._parts[column] = NEUTRAL_PARTS

    def _regroup(self, begun: NDArray[np.int64]) -> None:
        """Find who acts for which columns, after these games got other players: they remember nothing of others."""
        columns: dict[int, list[int]] = {}
        for column, agent in enumerate(self._seated):
            if agent is not None:
                columns.setdefault(id(agent), []).append(column)
        agents = {id(agent): agent for agent in self._seated if agent is not None}
        self._parties.seat((agents[key], np.array(mine, np.int64)) for key, mine in columns.items())
        for place in (SEATS * begun[:, None] + np.arange(SEATS)).ravel():
            seated = self._seated[place]
            if seated is not None:
                self._parties.reset(seated, np.array([place], np.int64))


def match_result(job: Job, row: NDArray[np.void], digests: tuple[str, str], worker: str) -> MatchResult:
    """A backend's RESULT row of a finished job as the league's MatchResult."""
    ended = EndedBy(int(row["ended_by"]))
    outcome = {0: Outcome.WIN, 1: Outcome.LOSS}.get(int(row["winner"]), Outcome.DRAW)
    return MatchResult(
        job_id=job.job_id,
        outcome=Outcome.ABORTED if ended is EndedBy.FAULT else outcome,
        stocks=(int(row["stocks"][0]), int(row["stocks"][1])),
        percent=(float(row["percent"][0]), float(row["percent"][1])),
        frames=int(row["frames"]),
        ended_by=ended.name.lower(),
        digests=digests,
        worker=worker,
    )


def result_row(result: MatchResult) -> NDArray[np.void]:
    """The other way round: a MatchResult as a backend's RESULT record."""
    row = np.zeros((), RESULT)
    row["ended_by"] = EndedBy[result.ended_by.upper()]
    row["winner"] = {Outcome.WIN: 0, Outcome.LOSS: 1}.get(result.outcome, -1)
    row["stocks"], row["percent"], row["frames"] = result.stocks, result.percent, result.frames
    return row
