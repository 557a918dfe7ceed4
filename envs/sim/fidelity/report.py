"""The figures of many predicted games as one object, the one that `sim fidelity --json` prints."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from envs.game import character_name
from envs.sim.fidelity.combat import score_exchanges
from envs.sim.fidelity.contact import score_contacts
from envs.sim.fidelity.hits import score_hits
from envs.sim.fidelity.predictions import Predictions
from envs.sim.fidelity.score import score


def report(made: Predictions) -> dict[str, Any]:
    """{"games", "refused", "reasons", "rows", "characters", "hit_in_window", "cpu", "hits", "contact", "combat"}.

    `characters` holds the rows of people without an incoming hit in their window; those with one are under
    `hit_in_window`, those of fighters driven by the game itself under `cpu`. The figures of combat have a
    `characters` of their own, by attacker.
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
    return figures(made) | {"characters": by_attacker}


def _contact(made: Predictions) -> dict[str, Any]:
    by_attacker = {
        character_name(character): score_contacts(c for c in made.contacts if c.character == character)
        for character in sorted({counts.character for counts in made.contacts})
    }
    return score_contacts(made.contacts) | {"characters": by_attacker}
