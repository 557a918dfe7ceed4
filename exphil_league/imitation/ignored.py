"""How much of what the players pressed means nothing to the simulator's present rules.

A warm start from human games brings habits that the simulator cannot reward. This is their share, so that a
rating in the simulator is read with it in mind.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from envs.sim import coverage
from envs.slippi.read import read_game
from exphil_league.imitation.cache import CachedGame

_GAMES: Final = 16
"""Games that are read for it, evenly spread over all."""
_REASONS: Final = 5


def ignored_inputs(games: Sequence[CachedGame]) -> dict[str, Any]:
    """{"ignored_inputs": share 0..1 of inputs the simulator ignores, "ignored_reasons": the greatest reasons'
    shares of all inputs}, over a sample of the games."""
    total, reasons = 0, Counter[str]()
    for game in games[:: -(-len(games) // _GAMES)]:
        found = coverage.ignored_inputs(read_game(game.replay).frames)
        total += found.total
        reasons.update(found.reasons)
    shares = {reason: count / max(total, 1) for reason, count in reasons.most_common(_REASONS)}
    return {"ignored_inputs": reasons.total() / max(total, 1), "ignored_reasons": shares}
