"""The figures of many predicted games as one object, the one that `sim fidelity --json` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.game import character_name
from envs.sim.fidelity.bodies import character_row, is_complete
from envs.sim.fidelity.combat import score_exchanges
from envs.sim.fidelity.contact import score_contacts
from envs.sim.fidelity.hits import score_hits
from envs.sim.fidelity.predictions import Predictions
from envs.sim.fidelity.score import score
from envs.sim.fidelity.split import HALVES


def report_with_halves(made: Predictions) -> dict[str, Any]:
    """`report` of all games, and under `halves` what it says of rows and combat in each half of the split."""
    halves = {half: report(made.of_half(half)) for half in HALVES}
    kept = ("rows", "characters", "hits", "contact", "combat")
    return report(made) | {"halves": {half: {key: of_half[key] for key in kept} for half, of_half in halves.items()}}


def report(made: Predictions) -> dict[str, Any]:
    """{"games", "refused", "reasons", "rows", "characters", "hit_in_window", "cpu", "hits", "contact", "combat"}.

    `characters` holds the rows of people without an incoming hit in their window; those with one are under
    `hit_in_window`, those of fighters driven by the game itself under `cpu`. The figures of combat have a
    `characters` of their own, by attacker; an attacker that is only played in part is there alone.
    """
    human = made.rows[~made.rows["cpu"]]
    return {
        "games": len(made.games),
        "refused": [{"game": game.path.name, "reason": game.reason, "detail": game.detail} for game in made.refused],
        "reasons": dict(Counter(game.reason for game in made.refused).most_common()),
        "rows": len(made.rows),
        "characters": score(human[~human["hit_in_window"]]),
        "hit_in_window": score(human[human["hit_in_window"]]),
        "cpu": score(made.rows[made.rows["cpu"]]),
        "hits": _with_characters(made.hits, score_hits),
        "contact": _contact(made),
        "combat": _with_characters(made.exchanges, score_exchanges),
    }


def _with_characters(made: NDArray[np.void], figures: Callable[[NDArray[np.void]], dict[str, Any]]) -> dict[str, Any]:
    by_attacker = {
        character_name(int(character)): figures(made[made["character"] == character])
        for character in np.unique(made["character"])
    }
    complete = np.isin(
        made["character"], [c for c in np.unique(made["character"]) if is_complete(character_row(int(c)))]
    )
    return figures(made[complete]) | {"characters": by_attacker}


def _contact(made: Predictions) -> dict[str, Any]:
    seats = [seat for of_game in made.contacts for seat in of_game]
    by_attacker = {
        character_name(character): score_contacts(seat for seat in seats if seat.character == character)
        for character in sorted({seat.character for seat in seats})
    }
    return score_contacts(seats) | {"characters": by_attacker}
