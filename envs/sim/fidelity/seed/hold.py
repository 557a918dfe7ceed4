"""Grabs and throws under way: who holds whom, the struggle so far, the speed of a throw."""

from __future__ import annotations

from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.bodies import HOLDING, STRANGER, character_row
from envs.sim.fidelity.seed.history import Past
from envs.sim.hold_layout import HELD, HOLDS
from envs.sim.kernel.held import MASH_BUTTONS
from envs.sim.kernel.inputs import JUMP_BUTTONS
from envs.sim.states import COMMON_STATES, Kind

_KINDS_HELD: Final = (Kind.HELD, Kind.THROWN)
SEIZED_STATES: Final = (Action.THROWN_MEWTWO.value, Action.THROWN_MEWTWO_AIR.value)
"""States of a fighter in the hold of a special, whose own states are the holder's."""
_PULLED: Final = (Action.GRAB_PULL.value, Action.GRAB_PULLING_HIGH.value)


def _states(kinds: tuple[Kind, ...]) -> list[int]:
    return [action for action, row in COMMON_STATES.items() if row.kind in kinds]


HOLDING_STATES: Final = _states(HOLDING)
HELD_STATES: Final = _states(_KINDS_HELD)


def rebuild_hold(out: NDArray[np.void], past: Past) -> None:
    """The grip between two fighters, unless the holder's throws are unknown, and what it has done so far."""
    mine, other = past.seen["action"], past.other["action"]
    holds = (np.isin(mine, HOLDING_STATES) & np.isin(other, HELD_STATES)) | np.isin(other, SEIZED_STATES)
    held = (np.isin(mine, HELD_STATES) & np.isin(other, HOLDING_STATES)) | np.isin(mine, SEIZED_STATES)
    if character_row(int(past.other["character"][0])) == STRANGER:
        held = np.zeros_like(held)
    out["grip"] = np.where(holds, HOLDS, np.where(held, HELD, 0))
    out["held_frames"] = np.where(held, np.nan_to_num(past.seen["misc_timer"]), 0.0)
    _rebuild_blows(out, past)
    _rebuild_throw(out, past)
    for first, end in _runs(held):
        _replay_struggle(out[first:end], past, first)


def _rebuild_throw(out: NDArray[np.void], past: Past) -> None:
    """A throw's first recorded age is its speed; a thrower cannot be hit at first."""
    thrown = np.isin(past.state["kind"], (Kind.THROW, Kind.THROWN))
    starts = thrown & (past.start == np.arange(len(out)))
    out["rate"] = np.where(starts, past.seen["state_age"], out["rate"])
    thrower = past.state["kind"] == Kind.THROW
    left = np.maximum(int(past.common["throw_invincible"]) - (np.arange(len(out)) - past.start), 0)
    out["invincible"] = np.where(thrower, left, out["invincible"])


def _rebuild_blows(out: NDArray[np.void], past: Past) -> None:
    """Blows of pummels and throws that have landed already."""
    hold, age = past.character["hold"], past.seen["state_age"]
    struck = (past.state["kind"] == Kind.PUMMEL) & (age >= hold["pummel_age"])
    for slot, throw in enumerate(hold["throws"]):
        throwing = past.seen["action"] == Action.THROW_FORWARD.value + slot
        for bit, hit in enumerate(hold["throw_hits"][throw["hits"][0] : throw["hits"][1]]):
            landed = throwing & (age >= hit["age"])
            out["hit_mask"] |= np.where(landed, 1 << bit, 0).astype(np.int32)
            struck |= landed
    out["staled"] = np.where(struck, 1, out["staled"])


def _runs(event: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Rows [first, end) of each stretch in which the event holds."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], event, [False]]).astype(np.int8)))
    return [(int(first), int(end)) for first, end in zip(edges[::2], edges[1::2], strict=True)]


def _replay_struggle(out: NDArray[np.void], past: Past, first: int) -> None:
    """Frames left of one hold, row by row: what the hold's start gave, less time and inputs since."""
    common, seen, other = past.common, past.seen[first : first + len(out)], past.other[first]
    timer = common["grab_frames"] + common["grab_frames_per_percent"] * seen["percent"][0]
    timer -= common["grab_frames_behind"] if seen["stocks"][0] < other["stocks"] else 0.0
    side_x = side_y = wants_jump = 0
    fast = 0.0
    for row in range(len(out)):
        waits = seen["action"][row] not in _PULLED and row > 0
        if waits and seen["hitlag"][row] == 0:
            x, y, pressed = (out[name][row - 1] for name in ("stick_x", "stick_y", "pressed"))
            sides = (_side(x, side_x, common), _side(y, side_y, common))
            mashed = sides != (side_x, side_y) or (pressed & MASH_BUTTONS) != 0
            side_x, side_y = sides
            timer -= 1.0 + (common["mash_frames"] if mashed else 0.0)
            fast = max(fast - 1.0, 0.0)
            fast = float(common["mash_animation_frames"]) if mashed and fast == 0.0 else fast
            wants_jump |= int((out["pressed"][row] & JUMP_BUTTONS) != 0)
        out["grab_timer"][row], out["mash_frames"][row] = timer, fast
        out["mash_x"][row], out["mash_y"][row], out["wants_jump"][row] = side_x, side_y, wants_jump


def _side(stick: float, side: int, common: NDArray[np.void]) -> int:
    return int(np.sign(stick)) if abs(stick) > common["mash_stick"] else side
