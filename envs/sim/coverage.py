"""How much of recorded play the simulator's present rules leave out, by reason."""

from __future__ import annotations

from collections import Counter
from typing import NamedTuple

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.frame import FIRST_PLAYABLE_FRAME, LEADER
from envs.game import Character, Stage
from envs.sim.compile import tables


class Ignored(NamedTuple):
    """Recorded inputs (frames of one seat) and how many of them the rules cannot answer."""

    total: int
    ignored: int
    reasons: dict[str, int]
    """"stage YOSHIS_STORY", "character FALCO" or "state LIFT_WAIT" -> inputs; each input counts once."""

    @property
    def share(self) -> float:
        """Ignored inputs / all, 0 for a recording without any."""
        return self.ignored / self.total if self.total else 0.0


def ignored_inputs(frames: NDArray[np.void]) -> Ignored:
    """Inputs of recorded frames [T] in a stage, character or action state that the simulator does not play.

    Counts both seats from the first playable frame on. Of several reasons the first counts: stage, character, state.
    """
    playable = frames[frames["frame"] >= FIRST_PLAYABLE_FRAME]
    players = playable["players"][:, :, LEADER]
    reasons: Counter[str] = Counter()
    if playable.size and int(playable["stage"][0]) not in tables()[0]["stages"]["stage"]:
        reasons[f"stage {_name(Stage, int(playable['stage'][0]))}"] = players.size
        return Ignored(players.size, players.size, dict(reasons))
    for seat in range(players.shape[1]):
        reasons.update(_seat_reasons(players[:, seat]))
    return Ignored(players.size, reasons.total(), dict(reasons.most_common()))


def _seat_reasons(players: NDArray[np.void]) -> Counter[str]:
    known = tables()[0]["characters"]
    reasons: Counter[str] = Counter()
    played = np.isin(players["character"], known["character"])
    for character, count in zip(*np.unique(players["character"][~played], return_counts=True), strict=True):
        reasons[f"character {_name(Character, int(character))}"] += int(count)
    states = known["states"]
    rows = (players["character"][played][:, None] == known["character"]).argmax(axis=1)
    actions = players["action"][played]
    inside = (actions >= 0) & (actions < states.shape[1])
    modelled = inside & (states["modelled"][rows, np.where(inside, actions, 0)] == 1)
    for action, count in zip(*np.unique(actions[~modelled], return_counts=True), strict=True):
        reasons[f"state {_name(Action, int(action))}"] += int(count)
    return reasons


def _name(kind: type, value: int) -> str:
    try:
        return str(kind(value).name)
    except ValueError:
        return str(value)
