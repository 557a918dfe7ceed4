"""The sampling loop: N games advanced T decisions, learners' seats recorded as chunks. Knows nothing of Ray.

Per decision there is one forward per learner; per frame one observation call, one forward for all opponents of a
spec whose turn it is, one backend step. With an action repeat of k a row of a chunk spans k frames. A game that ends
among them stands still until the row is full, so that every game begins with a decision, as it does elsewhere.
"""

from __future__ import annotations

import resource
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray

from envs.backend import MATCHUP, RESULT, Backend, EndedBy
from envs.controller import NEUTRAL_PARTS, decode
from envs.frame import SEATS, empty_frames, words_f32
from envs.observation import observe
from envs.reward import Reward, Rewards
from exphil_league.config.ppo import PPOConfig
from exphil_league.league.model import Job, MatchResult, Outcome
from exphil_league.rl.chunk import Chunk
from exphil_league.rl.drift import action_counts
from exphil_league.rl.lane import Lane, LaneSettings
from exphil_league.rl.opponents import FrozenSeats, LoadAgent, OpponentCache
from exphil_league.rl.slots import SlotGroup
from exphil_league.rl.tables import JobDesk, JobSource
from policies.agent import Agent
from policies.network_agent import NetworkAgent
from policies.policy import Policy

_MAXRSS_PER_MIB: Final = 2**20 if sys.platform == "darwin" else 2**10
"""getrusage counts bytes there, KiB elsewhere."""


@dataclass(frozen=True)
class SamplerSettings:
    """What a sampler needs to know besides its partners."""

    unroll_frames: int
    """Frames of a sample: a multiple of the learners' action repeat."""
    reward: Reward
    gamma: float
    """Discount per game frame."""
    opponents: int
    """Distinct opponents at once, at most."""
    seed: int
    worker: str = "driver"
    own_rewards: Mapping[str, Reward] = field(default_factory=dict)
    """Of learners whose weights are not those of `reward`."""


def own_rewards(ppo: PPOConfig) -> dict[str, Reward]:
    """`SamplerSettings.own_rewards` of a recipe's section."""
    return {name: Reward(ppo.of(name).reward, ppo.gamma) for name, own in ppo.players.items() if own.reward}


@dataclass
class SampleStats:
    """What happened since the last call of `take_stats`."""

    env_frames: int = 0
    games: int = 0
    game_frames: int = 0
    """Frames of the finished games."""
    timer_games: int = 0
    aborted_games: int = 0
    sample_s: float = 0.0
    """Wall time of sampling, seconds."""
    reward: dict[str, NDArray[np.float64]] = field(default_factory=dict)
    """[K] what each reward term brought, weighted, summed over the frames of a learner's columns."""
    seat_frames: dict[str, int] = field(default_factory=dict)
    """Frames that a learner's columns played."""
    player_frames: dict[str, int] = field(default_factory=dict)
    """Env frames that a learner was trained on."""
    actions: dict[str, NDArray[np.int64]] = field(default_factory=dict)
    """[ACTIONS] decisions of these columns in each action state."""
    faults: Counter[str] = field(default_factory=Counter)
    """What broke of the backend's emulators, by kind."""
    opponents_held: int = 0
    """Frozen opponents that a runner keeps in memory, of the runner with most."""
    peak_mib: float = 0.0
    """Most memory that a runner's process ever held, of the runner with most."""

    def add(self, other: SampleStats) -> None:
        """Count what happened elsewhere too."""
        for name in ("env_frames", "games", "game_frames", "timer_games", "aborted_games", "sample_s"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.faults.update(other.faults)
        self.opponents_held = max(self.opponents_held, other.opponents_held)
        self.peak_mib = max(self.peak_mib, other.peak_mib)
        for player, terms in other.reward.items():
            self.reward[player] = self.reward.get(player, 0.0) + terms
            self.seat_frames[player] = self.seat_frames.get(player, 0) + other.seat_frames[player]
            self.player_frames[player] = self.player_frames.get(player, 0) + other.player_frames[player]
            self.actions[player] = self.actions.get(player, 0) + other.actions[player]


class Sampler:
    """Plays the league's jobs on one backend and returns chunks of the learners' seats."""

    def __init__(
        self,
        backend: Backend,
        groups: Sequence[SlotGroup],
        policies: Mapping[str, Policy],
        league: JobSource,
        load_agent: LoadAgent,
        settings: SamplerSettings,
    ) -> None:
        """`policies` are the live learners by player id; their weights may be changed between samples."""
        self.backend = backend
        self._league = league
        self._settings = settings
        self._groups = tuple(groups)
        self._policies = policies
        self.live_digests: dict[str, str] = {}
        """Last published digest of each live player: named in the results as what was really played."""
        self.stats = SampleStats()
        players = dict.fromkeys(g.player for g in groups)
        self._repeat = policies[next(iter(players))].spec.action_repeat
        self.lanes = [self._lane(i, player, groups) for i, player in enumerate(players)]
        single = [game for g in groups if g.learner_seats == 1 for game in g.game_indices]
        self.cache = OpponentCache(self._load(load_agent), len(single), settings.opponents)
        self.frozen_seats = FrozenSeats(np.array(single, np.int64), self.cache)
        self._desk = JobDesk(league, groups, settings.opponents, lambda: len(self.cache.active) < settings.opponents)
        self._jobs: list[Job] = []
        self._matchups = np.zeros(backend.num_games, MATCHUP)
        self._seeds = np.zeros(backend.num_games, np.uint64)
        self._frames: NDArray[np.void] = empty_frames(backend.num_games)
        self._before = np.empty_like(self._frames)
        self._seen = observe(self._frames)
        self._pressed = np.empty((backend.num_games, SEATS, len(NEUTRAL_PARTS)), np.uint8)
        self._pressed[:] = NEUTRAL_PARTS
        self._over = np.zeros(backend.num_games, np.bool_)
        """[N] games that ended in the present row."""
        self._no_results = np.zeros(backend.num_games, RESULT)
        self._results: list[MatchResult] = []

    def sample(self) -> list[Chunk]:
        """One chunk per learner. The arrays are reused: use or copy them before the next call."""
        started = perf_counter()
        with torch.inference_mode():
            if not self._jobs:
                self._begin_all()
            self.frozen_seats.refresh(self._policies)
            for lane in self.lanes:
                lane.begin_chunk()
            for row in range(self._settings.unroll_frames // self._repeat):
                self._advance(row)
            chunks = [lane.finish_chunk(*self._seen) for lane in self.lanes]
        for lane in self.lanes:
            self.stats.add(_lane_stats(lane))
        self._report()
        self.stats.env_frames += sum(lane.chunk.env_frames for lane in self.lanes)
        self.stats.sample_s += perf_counter() - started
        return chunks

    def take_stats(self) -> SampleStats:
        stats, self.stats = self.stats, SampleStats()
        stats.faults.update(self.backend.take_faults())
        stats.opponents_held = len(self.cache)
        stats.peak_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / _MAXRSS_PER_MIB
        return stats

    def get_state(self) -> dict[str, Any]:
        """Everything the next sample depends on besides weights and league, games under way included.

        A backend that cannot save leaves the games out: they begin anew, and their leases expire.
        """
        return {"lanes": {lane.player: lane.get_state() for lane in self.lanes}, "games": self._games_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Go on from `get_state` of a sampler of the same recipe; from its random streams only where games differ."""
        whole = self._restore_games(state["games"])
        for lane in self.lanes:
            if lane.player in state["lanes"]:
                lane.set_state(state["lanes"][lane.player], whole)

    def _games_state(self) -> dict[str, Any] | None:
        if not self._jobs:
            return None
        try:
            backend = self.backend.save()
        except NotImplementedError:
            return None
        return {
            "backend": backend,
            "version": (self.backend.name, self.backend.version, self._groups),
            "jobs": list(self._jobs),
            "matchups": self._matchups.copy(),
            "seeds": self._seeds.copy(),
            "tables": self._desk.get_state(),
            "opponents": self.frozen_seats.get_state(),
        }

    def _restore_games(self, games: Mapping[str, Any] | None) -> bool:
        """Whether the saved games go on."""
        backend = self.backend
        if games is None or games["version"] != (backend.name, backend.version, self._groups):
            return False
        self._frames = backend.restore(games["backend"])
        self._jobs = list(games["jobs"])
        self._matchups[...] = games["matchups"]
        self._seeds[...] = games["seeds"]
        self._desk.set_state(games["tables"])
        self.frozen_seats.set_state(games["opponents"])
        self._seen = observe(self._frames, self._seen)
        return True

    def close(self) -> None:
        """Release the backend."""
        self.backend.close()

    def _lane(self, index: int, player: str, groups: Sequence[SlotGroup]) -> Lane:
        own = [g for g in groups if g.player == player]
        seed = int(np.random.SeedSequence([self._settings.seed, index]).generate_state(1)[0])
        settings = LaneSettings(self._settings.unroll_frames // self._repeat, self._settings.gamma)
        return Lane(player, self._policies[player], own, settings, seed)

    def _load(self, load_agent: LoadAgent) -> LoadAgent:
        """A live player as opponent is played with the weights this runner has of it, not from a checkpoint."""

        def load(key: str, capacity: int) -> Agent:
            if key in self._policies:
                return NetworkAgent(self._policies[key], capacity, self._settings.seed, key, key)
            agent = load_agent(key, capacity)
            if isinstance(agent, NetworkAgent):
                agent.move_to(self.lanes[0].device)
            return agent

        return load

    # One row

    def _advance(self, row: int) -> None:
        """A decision of every learner, and the frames that it is held for."""
        for lane in self.lanes:
            lane.decide(row, *self._seen)
        for held in range(self._repeat):
            if held:
                self._seen = observe(self._frames, self._seen)
            self._step(row, held)
        if self._over.any():
            self._turn_over(np.flatnonzero(self._over))
            self._over[:] = False
        self._seen = observe(self._frames, self._seen)

    def _step(self, row: int, held: int) -> None:
        """One frame under the actions of a row. Games that are over already stand still."""
        pressed = self._pressed
        for lane in self.lanes:
            lane.press(row, pressed)
        self.frozen_seats.act(self._frames, *self._seen, pressed)
        before = self._frames_copy()
        self._frames = self.backend.step(decode(pressed))
        ended = self.backend.done & ~self._over
        # Results are only read where a game is over, which is rare.
        result = self.backend.result if ended.any() else self._no_results
        cut = ended & (result["ended_by"] == EndedBy.FAULT)
        rewards = self._rewards(before, ended, result, cut | self._over)
        for lane in self.lanes:
            lane.record(row, held, rewards.get(lane.player, rewards[""]), ended & ~cut, cut)
            if held and self._over.any():
                lane.leave_out(self._over)
        self._over |= ended

    def _rewards(
        self,
        before: NDArray[np.void],
        ended: NDArray[np.bool_],
        result: NDArray[np.void],
        worthless: NDArray[np.bool_],
    ) -> dict[str, Rewards]:
        """Of learners with weights of their own, by name, and under "" everybody else's; none of `worthless` games."""
        wanted = {"": self._settings.reward, **self._settings.own_rewards}
        found = {name: reward(before, self._frames, ended, result) for name, reward in wanted.items()}
        if worthless.any():  # the last frame of a game that died is nonsense
            for rewards in found.values():
                rewards.total[worthless] = 0.0
                rewards.weighted[worthless] = 0.0
        return found

    def _frames_copy(self) -> NDArray[np.void]:
        # Copied as plain words: numpy copies structured arrays field by field.
        words_f32(self._before)[...] = words_f32(self._frames)
        return self._before

    # Games and jobs

    def _begin_all(self) -> None:
        n = self.backend.num_games
        jobs = self._desk.first_jobs()
        self._jobs = [jobs[game] for game in range(n)]
        self._reset(np.arange(n))
        self._seen = observe(self._frames, self._seen)

    def _turn_over(self, games: NDArray[np.int64]) -> None:
        """Note the results of finished games and begin the next ones in their place."""
        for game in games:
            self._results.append(self._result(int(game)))
            self._jobs[game] = self._desk.next_job(int(game))
        self._reset(games)

    def _reset(self, games: NDArray[np.int64]) -> None:
        mask = np.zeros(self.backend.num_games, np.bool_)
        mask[games] = True
        for game in games:
            self._matchups[game] = self._jobs[game].row()
            self._seeds[game] = self._jobs[game].seed
        self._frames = self.backend.reset(mask, self._matchups, self._seeds)
        for game in games:
            self._seat(int(game), self._jobs[game])

    def _seat(self, game: int, job: Job) -> None:
        learner = job.learner_sides.index(True)
        both = all(job.learner_sides)
        for lane in self.lanes:
            if game in lane.games:
                lane.begin_game(game, None if both else learner, int(self._frames["seed"][game]))
        if not both:
            other = 1 - learner
            live = job.players[other] in self._policies
            self.frozen_seats.assign(game, other, job.players[other] if live else job.digests[other])

    def _result(self, game: int) -> MatchResult:
        job, result = self._jobs[game], self.backend.result[game]
        ended_by = EndedBy(int(result["ended_by"]))
        self.stats.games += 1
        self.stats.game_frames += int(result["frames"])
        self.stats.timer_games += ended_by is EndedBy.TIMER
        self.stats.aborted_games += ended_by is EndedBy.FAULT
        return MatchResult(
            job_id=job.job_id,
            outcome=_outcome(ended_by, int(result["winner"])),
            stocks=(int(result["stocks"][0]), int(result["stocks"][1])),
            percent=(float(result["percent"][0]), float(result["percent"][1])),
            frames=int(result["frames"]),
            ended_by=ended_by.name.lower(),
            digests=(self._played(job, 0), self._played(job, 1)),
            worker=self._settings.worker,
        )

    def _played(self, job: Job, seat: int) -> str:
        return self.live_digests.get(job.players[seat], job.digests[seat])

    def _report(self) -> None:
        if self._results:
            self._league.report(self._results)
            self._results = []


def _lane_stats(lane: Lane) -> SampleStats:
    """What a learner's last chunk was like."""
    chunk = lane.chunk
    return SampleStats(
        reward={lane.player: lane.reward},
        seat_frames={lane.player: lane.seat_frames},
        player_frames={lane.player: chunk.env_frames},
        actions={lane.player: action_counts(chunk.ids[:-1])},
    )


def _outcome(ended_by: EndedBy, winner: int) -> Outcome:
    """From seat 0's view."""
    if ended_by is EndedBy.FAULT:
        return Outcome.ABORTED
    return {0: Outcome.WIN, 1: Outcome.LOSS}.get(winner, Outcome.DRAW)
