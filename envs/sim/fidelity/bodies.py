"""The tables that recorded games are stepped with: the simulator's, and a body for fighters that it lacks.

Such a fighter stands where the recording has it and pushes, with a generic width; it neither moves nor hits nor
is hit. It is one more row of the character table, in one more action state, so that no kernel knows of it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.sim.compile import CHARACTERS, STAGES, tables
from envs.sim.layout import MAX_CHARACTERS, STATE_SLOTS
from envs.sim.states import Flag, Kind, Physics

STRANGER: Final = MAX_CHARACTERS - 1
"""Row of the character table for every fighter that the simulator lacks."""
STANDS: Final = STATE_SLOTS - 1
"""Its only action state."""
ENDLESS: Final = 1 << 20
"""Frames that it stays in it."""


@lru_cache(maxsize=1)
def harness_tables() -> NDArray[np.void]:
    """`tables()` [1] with the stranger's row filled in. Raises ValueError if that row is taken."""
    if len(CHARACTERS) > STRANGER:
        raise ValueError(f"the character table is full ({MAX_CHARACTERS} rows): the harness needs one to itself")
    known = tables().copy()
    characters = known[0]["characters"]
    stranger = characters[STRANGER]
    stranger["character"] = -1
    for name in ("width", "weight"):
        stranger[name] = np.mean(characters[name][: len(CHARACTERS)])
    state = stranger["states"][STANDS]
    state["kind"], state["physics"], state["flags"] = Kind.DEAD, Physics.FROZEN, Flag.NO_CONTACT
    state["modelled"], state["move"], state["script"] = 1, -1, -1
    known.setflags(write=False)
    return known


def character_row(character: int) -> int:
    """Row of an internal character id in `harness_tables()`."""
    known = [int(c) for c in harness_tables()[0]["characters"]["character"][: len(CHARACTERS)]]
    return known.index(character) if character in known else STRANGER


def stage_row(stage: int) -> int:
    """Row of a Slippi stage id, -1 if the simulator lacks the stage."""
    known = [int(s) for s in harness_tables()[0]["stages"]["stage"][: len(STAGES)]]
    return known.index(stage) if stage in known else -1
