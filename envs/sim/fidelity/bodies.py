"""The tables that recorded games are stepped with: the simulator's, and bodies for fighters that it lacks.

Such a fighter stands where the recording has it and pushes, with a generic width; it neither moves nor hits nor
is hit. It is one more row of the character table, in one more action state, so that no kernel knows of it. Some
have a row of their own with the facts of their throws: such a one also holds and throws the fighter that it has
caught, so that the fighter's place can be predicted.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.game import character_id
from envs.sim.compile import CHARACTERS, STAGES, tables
from envs.sim.holds import HoldFacts, compile_holds, load_holds
from envs.sim.layout import MAX_CHARACTERS, STATE_SLOTS
from envs.sim.states import COMMON_STATES, Flag, Kind, Physics

STRANGER: Final = MAX_CHARACTERS - 1
"""Row of the character table for a fighter that the simulator lacks and whose throws are unknown."""
THROWERS: Final = (
    *("GAME_AND_WATCH", "JIGGLYPUFF", "LUIGI"),
    *("PEACH", "SAMUS", "SHEIK", "YOUNG_LINK"),
)
"""Fighters with a row before it: facts/throwers knows their throws."""
HOLDING: Final = (Kind.CATCH_PULL, Kind.CATCH_WAIT, Kind.PUMMEL, Kind.THROW)
"""Kinds of the states in which a fighter holds another."""
STANDS: Final = STATE_SLOTS - 1
"""Its only action state."""
ENDLESS: Final = 1 << 20
"""Frames that it stays in it."""


@lru_cache(maxsize=1)
def harness_tables() -> NDArray[np.void]:
    """`tables()` [1] with the strangers' rows filled in. Raises ValueError if one of them is taken."""
    if len(CHARACTERS) > STRANGER - len(THROWERS):
        raise ValueError(f"the character table is full ({MAX_CHARACTERS} rows): the harness needs some to itself")
    known = tables().copy()
    characters = known[0]["characters"]
    for row in range(STRANGER - len(THROWERS), STRANGER + 1):
        _fill_stranger(characters[row], characters[: len(CHARACTERS)])
    for row, name in enumerate(THROWERS, start=STRANGER - len(THROWERS)):
        _fill_thrower(characters[row], load_holds(f"throwers/{name.lower()}"), character_id(name))
    known.setflags(write=False)
    return known


def _fill_stranger(stranger: NDArray[np.void], characters: NDArray[np.void]) -> None:
    stranger["character"] = -1
    for name in ("width", "weight"):
        stranger[name] = np.mean(characters[name])
    states = stranger["states"]
    states["kind"], states["physics"], states["flags"] = Kind.DEAD, Physics.FROZEN, Flag.NO_CONTACT
    states["move"], states["script"] = -1, -1
    states["modelled"][STANDS] = 1


def _fill_thrower(thrower: NDArray[np.void], holds: HoldFacts, character: int) -> None:
    thrower["character"] = character
    compile_holds(holds, character, thrower["hold"])
    for action, row in COMMON_STATES.items():
        if row.kind in HOLDING:
            state = thrower["states"][action]
            state["kind"], state["flags"], state["next"] = row.kind, Flag.NO_CONTACT | Flag.OVERLAPS, row.next
            state["length"] = holds.lengths.get(Action(action).name, 0)


def character_row(character: int) -> int:
    """Row of an internal character id in `harness_tables()`."""
    known = [int(c) for c in harness_tables()[0]["characters"]["character"]]
    own = known[: len(CHARACTERS)]
    if character in own:
        return own.index(character)
    return known.index(character, len(CHARACTERS)) if character in known[len(CHARACTERS) :] else STRANGER


def is_stranger(row: Any) -> Any:
    """Whether a row of `harness_tables()`, or each of an array, is of a fighter that the simulator lacks."""
    return row >= len(CHARACTERS)


def stage_row(stage: int) -> int:
    """Row of a Slippi stage id, -1 if the simulator lacks the stage."""
    known = [int(s) for s in harness_tables()[0]["stages"]["stage"][: len(STAGES)]]
    return known.index(stage) if stage in known else -1


def is_complete(row: int) -> bool:
    """Whether a row of the character table plays all that its fighter can; one without specials does not."""
    return bool((harness_tables()[0]["characters"][row]["specials"] > 0).all())
