"""Where exploiters begin: exploiters that all begin where the main player began find what it finds, which is nothing.

In a game whose weaknesses self-play does not see, a league whose exploiters start alike leaves them open as
self-play does; with starts of different styles it closes most of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from exphil_league.league.model import PlayerKind
from exphil_league.league.state import LeagueState

BEATEN_BELOW = 0.5
"""A past exploiter is worth a start while the main players win less against it: it still knows something."""


def draw_start(state: LeagueState, kind: PlayerKind, own: Sequence[str], rng: np.random.Generator) -> str:
    """The frozen player that an exploiter of `kind` begins at: the kind of start by its share, then one of these.

    `own` are the learner's configured starts; they also stand in for a kind of start that has nobody to offer.
    """
    shares = state.setup.league.starts
    draw = rng.random()
    if draw < shares.styles:
        offered: Sequence[str] = state.styles
    elif draw < shares.styles + shares.best_exploiter:
        offered = best_exploiters(state, kind)
    else:
        offered = own
    choice = offered or own
    return choice[int(rng.integers(len(choice)))]


def best_exploiters(state: LeagueState, kind: PlayerKind) -> list[str]:
    """The past exploiter of `kind` that the live main players beat least, if that is less than half; else nobody.

    Never a main player's past: what an exploiter starts from is its own line, a style or a configured start.
    """
    mains, past = state.learners_of_kind(PlayerKind.MAIN), state.snapshots_of_kind(kind)
    if not past:
        return []
    beaten = np.mean([state.payoff.win_rates(main, past) for main in mains], axis=0)
    worst = int(np.argmin(beaten))
    return [past[worst]] if beaten[worst] < BEATEN_BELOW else []
