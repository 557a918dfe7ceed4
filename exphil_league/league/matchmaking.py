"""Whom a learner meets: prioritised fictitious self-play (PFSP) and the branches of each role.

Rules of Vinyals et al. 2019 as published in AlphaStar's pseudo-code, with its defects left out: weights that
all vanish fall back to an even draw, an impossible branch falls through to PFSP, and PFSP without frozen
players cannot happen because the main player is frozen once before training.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from exphil_league.config.league import LeagueConfig, Weighting
from exphil_league.league.model import Branch, Player, PlayerKind
from exphil_league.league.state import LeagueState

_VANISHED: Final = 1e-10
"""Below this sum the weights say nothing (a learner that beats everybody) and the draw is even."""
EXPLOITED_BELOW: Final = 0.3
"""A main player that wins less against a past exploiter must meet it again."""
FORGOTTEN_BELOW: Final = 0.7
"""A main player that wins less against its own past has forgotten."""


@dataclass(frozen=True)
class Opponent:
    """The drawn opponent and the branch that drew it."""

    player_id: str
    branch: Branch


def pfsp_weights(win_rates: NDArray[np.float64], weighting: Weighting, exploration: float = 0.0) -> NDArray[np.float64]:
    """[n] probabilities of meeting opponents beaten with probability win_rates [n], n >= 1.

    Finite, not negative, summing to 1 for every win_rates in [0, 1]^n; `exploration` of the mass is spread evenly.
    """
    x = np.asarray(win_rates, np.float64)
    raw = {
        Weighting.SQUARED: (1.0 - x) ** 2,
        Weighting.VARIANCE: x * (1.0 - x),
        Weighting.LINEAR: 1.0 - x,
        Weighting.LINEAR_CAPPED: np.minimum(0.5, 1.0 - x),
        Weighting.UNIFORM: np.ones_like(x),
    }[weighting]
    even = np.full(x.shape, 1.0 / len(x))
    total = raw.sum()
    sharp = raw / total if total > _VANISHED else even
    return (1.0 - exploration) * sharp + exploration * even


def drop_monotone_suffix(win_rates: NDArray[np.float64]) -> int:
    """How many of a line's oldest members stay when the newest, on which the win rate only falls, are dropped.

    Win rates [n] oldest first. Against its newest selves a player rightly wins less: that is no forgetting.
    """
    for newest in range(len(win_rates) - 1, 0, -1):
        if win_rates[newest - 1] < win_rates[newest]:
            return newest + 1
    return 0


class Matchmaker:
    """Draws opponents; reads the state and changes nothing. For one call: what it has read it does not read again."""

    def __init__(self, config: LeagueConfig, state: LeagueState, rng: np.random.Generator) -> None:
        self._config = config
        self._state = state
        self._rng = rng
        self._bounds: dict[tuple[str, ...], NDArray[np.float64]] = {}
        """Cumulated weights [n] of the opponents drawn from so far, by learner, weighting and opponents."""

    def named(self, learner: Player, opponent: Player) -> Opponent:
        """The opponent the caller asked for, under the branch its learner mostly plays. Not itself: ValueError."""
        if learner == opponent:
            raise ValueError(f"{learner.player_id} meets itself in self-play only: ask for two learner seats")
        if learner.kind is PlayerKind.MAIN_EXPLOITER:
            return Opponent(opponent.player_id, Branch.EXPLOIT)
        stage = self._state.curriculum_stage(learner.player_id)
        studies = stage is not None and opponent.player_id in stage.opponents
        return Opponent(opponent.player_id, Branch.CURRICULUM if studies else Branch.PFSP)

    def draw(self, learner: Player, learner_seats: int | None) -> Opponent:
        """One draw. `learner_seats` 2: self-play; 1: anything else; None: all branches by their shares."""
        if learner_seats == 2:
            return Opponent(learner.player_id, Branch.SELF_PLAY)
        stage = self._state.curriculum_stage(learner.player_id)
        if stage is not None:
            return Opponent(str(self._rng.choice(stage.opponents)), Branch.CURRICULUM)
        if learner.kind is PlayerKind.MAIN_EXPLOITER:
            return self._exploit(learner)
        if learner.kind is PlayerKind.LEAGUE_EXPLOITER:
            return self._pfsp(learner, Weighting.LINEAR_CAPPED)
        return self._main(learner, allow_self_play=learner_seats is None)

    def _main(self, learner: Player, allow_self_play: bool) -> Opponent:
        shares = self._config.shares
        self_play = shares.self_play if allow_self_play else 0.0
        draw = self._rng.random() * (self_play + shares.pfsp + shares.verification)
        if draw < shares.verification:
            forgotten = self._verification(learner)
            if forgotten is not None:
                return forgotten
        elif draw < shares.verification + shares.pfsp or not allow_self_play:
            return self._pfsp(learner, self._config.weighting)
        if allow_self_play:
            return Opponent(learner.player_id, Branch.SELF_PLAY)
        return self._pfsp(learner, self._config.weighting)

    def _pfsp(self, learner: Player, weighting: Weighting) -> Opponent:
        return Opponent(
            self._draw(learner, self._state.opponents(self._config.train_against_anchors), weighting), Branch.PFSP
        )

    def _verification(self, learner: Player) -> Opponent | None:
        """A past exploiter that beats the learner, or a past self it has forgotten to beat; None if all is well."""
        exploiters = self._state.snapshots_of_kind(PlayerKind.MAIN_EXPLOITER)
        if exploiters and self._rates(learner, exploiters).min() < EXPLOITED_BELOW:
            return Opponent(self._draw(learner, exploiters, Weighting.SQUARED), Branch.VERIFICATION)
        line = self._state.line(learner.player_id)
        line = line[: drop_monotone_suffix(self._rates(learner, line))]
        if line and self._rates(learner, line).min() < FORGOTTEN_BELOW:
            return Opponent(self._draw(learner, line, Weighting.SQUARED), Branch.VERIFICATION)
        return None

    def _exploit(self, learner: Player) -> Opponent:
        """The live main player; while that is out of reach, its past by variance."""
        mains = self._state.learners_of_kind(PlayerKind.MAIN)
        main = mains[int(self._rng.integers(len(mains)))]
        if self._state.payoff.win_rate(learner.player_id, main) > self._config.exploit_floor:
            return Opponent(main, Branch.EXPLOIT)
        return Opponent(self._draw(learner, self._state.line(main), Weighting.VARIANCE), Branch.EXPLOIT)

    def _rates(self, learner: Player, opponents: list[str]) -> NDArray[np.float64]:
        return self._state.payoff.win_rates(learner.player_id, opponents)

    def _draw(self, learner: Player, opponents: list[str], weighting: Weighting) -> str:
        key = (learner.player_id, weighting, *opponents)
        if key not in self._bounds:
            rates = self._rates(learner, opponents)
            self._bounds[key] = np.cumsum(pfsp_weights(rates, weighting, self._config.exploration))
        bounds = self._bounds[key]
        # side="right": an opponent of weight 0 is never drawn
        return opponents[int(np.searchsorted(bounds, self._rng.random() * bounds[-1], side="right"))]
