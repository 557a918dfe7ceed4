"""Where an animation puts the body: displacement on the ground, the way up a ledge, the height of the feet.

Displacements are read from the installed libmelee and corrected by a character's own [motion]; ledge paths and feet,
which it lacks, are measured facts.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.framedata import Animations
from envs.sim.layout import FEET_AGES, FEET_ROWS, MAX_LOCOMOTION
from envs.sim.states import Can, Physics, StateRow

BACKWARD: Final = tuple(
    Action[name].value
    for name in ("ROLL_BACKWARD", "BACKWARD_TECH", "GROUND_ROLL_BACKWARD_UP", "GROUND_ROLL_BACKWARD_DOWN")
)
"""States whose displacement libmelee stores without its sign; they move backward (recorded rolls)."""

Path = list[tuple[float, float]]
"""Displacement (on the ground) or offset from the ledge, by animation age 0, 1, 2, ..."""


class TooMuchMotion(ValueError):
    """The tables of displacement or feet are full; the message says which."""


def fill_motion(table: Animations, known: dict[str, Any], rows: dict[int, StateRow], out: NDArray[np.void]) -> None:
    """Fill `locomotion` and `feet` of a CHARACTER record and the states' references to them."""
    next_row = _fill_rises(known.get("rises", {}), out)
    for action, row in rows.items():
        if row.physics is Physics.ANIMATION:
            path = _displacement(action, table, known.get("motion", {}), int(out["states"][action]["turn_age"]))
        elif row.physics is Physics.LEDGE:
            path = _ledge_path(action, table, known)
        elif action in known["special_paths"]:
            path = known["special_paths"][action] or _displacement(action, table, known.get("motion", {}), 0)
        else:
            continue
        if not path:
            if row.physics is Physics.ANIMATION:
                out["states"][action]["physics"] = Physics.GROUND
            continue
        next_row = _store(path, out, action, next_row)
    _fill_feet(known["feet"], out)


def _fill_rises(known: dict[str, Any], out: NDArray[np.void]) -> int:
    """Jumps whose vertical speed the animation sets, by age; returns the first free row of `locomotion`.

    A name in place of the speeds means the same speeds as that jump's.
    """
    row = 0
    for name, value in known.items():
        speeds = known[value] if isinstance(value, str) else value
        action = Action[name].value
        state = out["states"][action]
        state["physics"] = Physics.AIR_CURVE
        state["interrupts"] &= ~int(Can.FAST_FALL)
        row = _store([(0.0, speed) for speed in speeds], out, action, row)
    return row


def _store(path: Path, out: NDArray[np.void], action: int, row: int) -> int:
    if row + len(path) > MAX_LOCOMOTION:
        raise TooMuchMotion(f"the table of animation displacement is full ({MAX_LOCOMOTION} rows)")
    out["states"][action]["locomotion"] = row
    out["states"][action]["locomotion_last"] = len(path) - 1
    out["locomotion"][row : row + len(path)] = path
    return row + len(path)


def _displacement(action: int, table: Animations, corrections: dict[str, Any], turn_age: int) -> Path:
    """Displacement of a grounded animation, along the facing; empty where it does not move the body.

    A correction is [[age, displacement], ...], or [] for an animation that only looks as if it moved the body.
    """
    frames = table.get(action, {})
    corrected = corrections.get(Action(action).name)
    if corrected == [] or not any(frame.locomotion_x or frame.locomotion_y for frame in frames.values()):
        return []
    sign = -1.0 if action in BACKWARD else 1.0
    path = [(0.0, 0.0)] * (max(frames) + 1)
    for age, frame in frames.items():
        turned = -1.0 if 0 < turn_age <= age else 1.0
        path[age] = (sign * turned * frame.locomotion_x, frame.locomotion_y)
    for age, forward in corrected or ():
        path[int(age)] = (forward, 0.0)
    return path


def _ledge_path(action: int, table: Animations, known: dict[str, Any]) -> Path:
    """Offsets from the ledge: measured, or libmelee's displacements summed from the hanging place."""
    hang = (known["body"]["hang_x"], known["body"]["hang_y"])
    measured = known["ledge_paths"].get(Action(action).name)
    if measured is not None:
        return [hang, *(tuple(point) for point in measured)]
    frames = table.get(action, {})
    path = [hang]
    for age in range(1, max(frames, default=0) + 1):
        frame = frames[age]
        path.append((path[-1][0] + frame.locomotion_x, path[-1][1] + frame.locomotion_y))
    return path


def _fill_feet(known: dict[str, Any], out: NDArray[np.void]) -> None:
    """Row 0 is for every state without a row of its own; steps are [[first age, height], ...]."""
    named = dict(known)
    if len(named) > FEET_ROWS:
        raise TooMuchMotion(f"[feet] has {len(named)} rows, the table holds {FEET_ROWS}")
    out["feet"][0] = _steps(named.pop("default"))
    for row, (name, steps) in enumerate(named.items(), start=1):
        out["feet"][row] = _steps(steps)
        out["states"][Action[name].value]["feet_row"] = row


def _steps(steps: list[list[float]]) -> NDArray[np.float32]:
    heights = np.zeros(FEET_AGES, np.float32)
    for first_age, height in steps:
        heights[int(first_age) :] = height
    return heights
