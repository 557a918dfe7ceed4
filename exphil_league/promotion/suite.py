"""The games of the gate: the candidate and the warm start meet the same opponents on the same seeds.

Each series (who against whom) is kept in a file when it ends, so that a gate that was stopped goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.backends import make_backend
from envs.dolphin.config import DolphinConfig
from exphil_league.config.promotion import PromotionConfig
from exphil_league.evaluation.matches import columns_needed, pair_jobs, play_matches
from exphil_league.evaluation.score import Score, score_of
from exphil_league.league.model import Job, MatchResult
from exphil_league.observe.progress import progress
from exphil_league.promotion.checks import Arm, Check, all_checks
from exphil_league.promotion.conduct import Conduct, ConductWatch
from exphil_league.run_folder import read_json, write_json
from policies.agent import Agent

PLAYER, OPPONENT = "player", "opponent"
WARM_START: Final = "warm_start"


@dataclass(frozen=True)
class Contestant:
    """Somebody who plays in the gate."""

    name: str
    digest: str
    make: Callable[[int, int], Agent]
    """(capacity, seed) -> the agent."""


@dataclass(frozen=True)
class Games:
    """How the games are played."""

    backend_name: str
    matchups: Sequence[Matchup]
    at_once: int
    seed: int
    dolphin: DolphinConfig | None = None
    """How the backends dolphin and standin run their emulators."""


@dataclass(frozen=True)
class Verdict:
    """What the gate found."""

    checks: tuple[Check, ...]
    candidate: Conduct
    prior: Conduct


class Suite:
    """Plays the series of a gate, each once."""

    def __init__(self, games: Games, kept: Path) -> None:
        """`kept`: file of the series that are done."""
        self._games, self._kept = games, kept
        self._series: dict[str, Any] = read_json(kept) if kept.is_file() else {}

    def judge(
        self, config: PromotionConfig, candidate: Contestant, prior: Contestant, opponents: Sequence[Contestant]
    ) -> Verdict:
        """All checks of a candidate. `prior` is the warm start. Raises UserError for an opponent that is none."""
        against_prior, conduct = self.series(candidate, prior, config.games_vs_warm_start)
        control, prior_conduct = self.series(prior, prior, config.games_vs_warm_start)
        own, before = Arm({}, conduct), Arm({}, prior_conduct)
        for opponent in opponents:
            own = self._with(own, candidate, opponent, config.games)
            before = self._with(before, prior, opponent, config.games)
        return Verdict(tuple(all_checks(config, own, before, against_prior, control)), own.conduct, before.conduct)

    def _with(self, arm: Arm, player: Contestant, opponent: Contestant, games: int) -> Arm:
        score, conduct = self.series(player, opponent, games)
        return Arm({**arm.scores, opponent.name: score}, arm.conduct.merged(conduct))

    def series(self, player: Contestant, opponent: Contestant, games: int) -> tuple[Score, Conduct]:
        """Score and conduct of `player` over `games` games, seats balanced."""
        key = f"{player.digest} {opponent.digest} {games} {self._games.seed}"
        if key not in self._series:
            score, conduct = self._play(player, opponent, games)
            self._series[key] = {"score": asdict(score), "conduct": asdict(conduct)}
            write_json(self._kept, self._series)
        done = self._series[key]
        return Score(**done["score"]), Conduct(**done["conduct"])

    def _play(self, player: Contestant, opponent: Contestant, games: int) -> tuple[Score, Conduct]:
        settings = self._games
        backend = make_backend(settings.backend_name, min(settings.at_once, games), settings.dolphin)
        capacity = columns_needed(backend.num_games)
        agents = {PLAYER: player.make(capacity, settings.seed), OPPONENT: opponent.make(capacity, settings.seed + 1)}
        watch = ConductWatch(PLAYER, Conduct())
        played: list[tuple[Job, MatchResult]] = []
        with progress(f"{player.name} against {opponent.name}", total=games, unit="games") as shown:

            def note(job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
                played.append((job, result))
                watch.offer(job, result, frames)
                shown.advance(1)

            ids, digests = (PLAYER, OPPONENT), (agents[PLAYER].digest, agents[OPPONENT].digest)
            jobs = pair_jobs(ids, digests, settings.matchups, games, settings.seed)
            try:
                play_matches(backend, jobs, lambda name, digest: agents[name], on_game=note, record=watch.wants)
            finally:
                backend.close()
        return score_of(PLAYER, played), watch.conduct
