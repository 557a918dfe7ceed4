"""A league core at work: tabular learners play a small exact game by its jobs, and move as its answers say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from exphil_league.config.league import LeagueSetup
from exphil_league.league.model import WARM_START, Job, MatchResult, Outcome, Roster
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.games import Array, MatrixGame
from exphil_league.verification.learners import Step, advantages, softmax

OPPONENTS_PER_TICK: Final = 8
ANCHOR: Final = "anchor"
_MEASURED_EVERY: Final = 5


@dataclass(frozen=True)
class Experiment:
    """One game, one way to learn, one league. A tick is an env frame to the league."""

    game: MatrixGame
    step: Step
    setup: LeagueSetup
    ticks: int
    starts: Callable[[MatrixGame, np.random.Generator], dict[str, Array]]
    """Logits [A] of the warm start and of the styles that exploiters begin at."""
    games_per_match: int = 4


@dataclass
class History:
    """What a campaign left behind."""

    exploitability: list[float] = field(default_factory=list)
    """Of the live main player, every few ticks of the second half."""
    pool: Array = field(default_factory=lambda: np.zeros((0, 0)))
    """[N, A] mixtures of all frozen policies."""
    from_exploiter: list[bool] = field(default_factory=list)
    """Which of them were exploiters."""


class Campaign:
    """One league over one seed."""

    def __init__(self, core: CoreClass, experiment: Experiment, seed: int) -> None:
        self._experiment = experiment
        self._rng = np.random.default_rng(seed)
        starts = experiment.starts(experiment.game, self._rng)
        self._weights = {_digest(name, 0): logits for name, logits in starts.items()}
        self._mixtures = {digest: softmax(logits) for digest, logits in self._weights.items()}
        self._core = core(experiment.setup, np.random.default_rng(seed + 1), lambda: 0.0)
        styles = {name: _digest(name, 0) for name in starts if name != WARM_START}
        anchors = {ANCHOR: "scripted:anchor@1"}
        self._core.enrol(Roster(_digest(WARM_START, 0), anchors, "exact games", styles=styles))
        self._learners = [learner.name for learner in experiment.setup.league.learners]
        self._live = {name: self._weights[self._core.player(name).digest] for name in self._learners}
        self._last_snapshot = dict.fromkeys(self._learners, 0)

    def run(self) -> History:
        """Train to the end and measure the pool."""
        experiment, history = self._experiment, History()
        main = self._learners[0]
        for tick in range(1, experiment.ticks + 1):
            self._learn()
            for name in self._learners:
                self._move_on(name, tick)
            self._core.drain()
            if 2 * tick > experiment.ticks and tick % _MEASURED_EVERY == 0:
                history.exploitability.append(experiment.game.exploitability(softmax(self._live[main])))
        kinds = {p["player"]: p["kind"] for p in self._core.lineage()["players"]}
        frozen = [p for p in self._core.lineage()["players"] if p["status"] == "frozen" and p["kind"] == "historical"]
        history.pool = np.array([self._mixtures[p["digest"]] for p in frozen])
        history.from_exploiter = [kinds.get(p["role_of"], "").endswith("exploiter") for p in frozen]
        return history

    def _learn(self) -> None:
        """Everybody plays its matches; then all who were to learn from them take one step."""
        met: dict[str, list[Array]] = defaultdict(list)
        for name in self._learners:
            jobs = self._core.request_jobs(name, None if name == self._learners[0] else 1, OPPONENTS_PER_TICK)
            self._play(name, jobs)
            for job in jobs:
                self._note(job, met)
        names = list(met)
        live = np.array([self._live[name] for name in names])
        opponents = np.array([np.mean(met[name], axis=0) for name in names])
        opponents /= opponents.sum(axis=1, keepdims=True)
        step = self._experiment.step(live, advantages(self._experiment.game, live, opponents, self._rng))
        self._live.update(zip(names, step, strict=True))

    def _note(self, job: Job, met: dict[str, list[Array]]) -> None:
        """Who learns from a match against whom: what `learner_sides` say, were they wrong."""
        for seat, learns in enumerate(job.learner_sides):
            if learns and job.players[seat] in self._live and (seat == 0 or len(set(job.players)) == 2):
                met[job.players[seat]].append(self._mixtures[job.digests[1 - seat]])

    def _play(self, learner: str, jobs: list[Job]) -> None:
        """Draw outcomes at the true win rates and report them."""
        matches = list(jobs)
        more = self._experiment.games_per_match - 1
        for job in jobs:
            if more and len(set(job.players)) == 2:  # games against oneself move no win rate
                opponent = job.players[job.players[0] == learner]
                matches += self._core.request_jobs(learner, 1, more, opponent=opponent)
        rows = np.array([self._mixtures[job.digests[0]] for job in matches])
        columns = np.array([self._mixtures[job.digests[1]] for job in matches])
        wins = self._rng.random(len(matches)) < self._experiment.game.win_rates(rows, columns)
        self._core.report([_result(job, bool(won)) for job, won in zip(matches, wins, strict=True)])

    def _move_on(self, name: str, tick: int) -> None:
        """Publish a learner's new weights; past the shortest interval ask whether to freeze and reset it."""
        digest = _digest(name, tick)
        self._weights[digest] = self._live[name]
        self._mixtures[digest] = softmax(self._live[name])
        self._core.publish(name, digest, tick)
        if tick - self._last_snapshot[name] < self._experiment.setup.league.snapshot.min_frames:
            return
        decision = self._core.maybe_snapshot(name, digest, tick)
        if decision is None:
            return
        self._last_snapshot[name] = tick
        if decision.reset_digest is not None:
            self._live[name] = self._weights[decision.reset_digest]


def _digest(name: str, tick: int) -> str:
    return f"{name}:{tick}"


def _result(job: Job, won: bool) -> MatchResult:
    outcome, stocks = (Outcome.WIN, (1, 0)) if won else (Outcome.LOSS, (0, 1))
    return MatchResult(job.job_id, outcome, stocks, (0.0, 0.0), 1, "stocks", job.digests, "verify")
