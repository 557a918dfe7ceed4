"""Specials: the clock and the aim of the script under way."""

from __future__ import annotations

from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, before
from envs.sim.kernel.script_speed import FALLS
from envs.sim.kernel.transition import ANIMATION_TAIL
from envs.sim.specials import Op
from envs.sim.states import Physics

_FALL: Final = Action.DEAD_FALL.value
_ORDINARY_LANDINGS: Final = (Action.LANDING.value, Action.LANDING_SPECIAL.value)


def rebuild_special(out: NDArray[np.void], past: Past) -> None:
    """Frames spent in the present special, frozen ones apart, and its aim, which is the way it moves."""
    special = past.state["physics"] == Physics.SCRIPT
    begun = special & (before(special) == 0)
    first = np.maximum.accumulate(np.where(begun, np.arange(len(special)), 0))
    run = special & (before(out["hitlag"]) <= 1)  # the last frame of hitlag is free
    count = np.cumsum(run)
    out["script_timer"] = np.where(special, count - count[first] + run[first], 0)
    speed_x = np.where(out["airborne"] == 1, out["vx"], out["ground_v"])
    speed_y = np.where(out["airborne"] == 1, out["vy"], 0.0)
    speed = np.hypot(speed_x, speed_y)
    moves = special & (speed > 0)
    out["script_x"] = np.where(moves, speed_x / np.where(moves, speed, 1.0), 0.0)
    out["script_y"] = np.where(moves, speed_y / np.where(moves, speed, 1.0), 1.0)


def rebuild_sword(out: NDArray[np.void], past: Past) -> None:
    """How far the stick was held aside to turn a special, how long it was charged, whether a float is spent."""
    tilts = _within(Op.TILT, past)
    if tilts.any():
        running = _running(past)
        aims = tilts & (past.seen["hitlag"] == 0) & (np.arange(len(tilts)) > past.start)
        farthest = _extreme(np.where(aims, out["stick_x"], 0.0), past.start)
        out["script_x"] = np.where(running & _has(Op.TILT, past), farthest, out["script_x"])
    falls = _has(Op.SOAR, past) & (out["vy"] < 0.0)
    out["script_flags"] = np.where(falls, out["script_flags"] | FALLS, out["script_flags"])
    holds = _has(Op.HOLD, past)
    if holds.any():
        out["charge"] = np.where(_running(past), _charge(holds, past), out["charge"])
    out["float_spent"] = _spent(past)


def rebuild_special_fall(out: NDArray[np.void], past: Past) -> None:
    """What the special before a special fall, or before its landing, decided: the lag and the top speed."""
    action = past.seen["action"]
    falls = np.isin(action, (Action.DEAD_FALL.value, Action.LANDING_SPECIAL.value))
    before_fall = np.maximum.accumulate(np.where(falls, -1, np.arange(len(action))))
    came_from = np.where(before_fall >= 0, action[before_fall], -1)
    combat = past.character["combat"]
    for state in np.unique(came_from[falls & (came_from >= 0)]):
        for op in combat["operations"][combat["script_first"][state] : combat["script_last"][state]]:
            if op["code"] == Op.LAG:
                rows = falls & (came_from == state)
                out["landing_lag"][rows], out["fall_share"][rows] = op["a"], op["b"]
            elif op["code"] == Op.OPEN_LANDING:
                fell = (action == _FALL) | (action[np.maximum(past.start - 1, 0)] == _FALL)
                out["open_landing"][falls & fell & (came_from == state)] = 1
    landed = (action == Action.LANDING_SPECIAL.value) & (past.start == np.arange(len(action)))
    lag = np.maximum(out["landing_lag"], 1.0)
    out["rate"] = np.where(landed, (past.state["length"] + ANIMATION_TAIL) / lag, out["rate"])


def _operations(code: Op, past: Past) -> dict[int, tuple[float, float]]:
    """Action state -> ages of its operation of that code."""
    combat = past.character["combat"]
    found = {}
    for action in range(len(combat["script_first"])):
        for op in combat["operations"][combat["script_first"][action] : combat["script_last"][action]]:
            if op["code"] == code:
                found[action] = (float(op["first"]), float(op["last"]))
    return found


def _has(code: Op, past: Past) -> NDArray[np.bool_]:
    return np.isin(past.seen["action"], list(_operations(code, past)))


def _within(code: Op, past: Past) -> NDArray[np.bool_]:
    """[T] whether the state has such an operation and is at an age it holds for."""
    inside = np.zeros(len(past.seen), np.bool_)
    for action, (first, last) in _operations(code, past).items():
        age = past.seen["state_age"]
        inside |= (past.seen["action"] == action) & (age >= first) & (age <= last)
    return inside


def _running(past: Past) -> NDArray[np.bool_]:
    return past.state["physics"] == Physics.SCRIPT


def _extreme(values: NDArray[np.float32], start: NDArray[np.int64]) -> NDArray[np.float32]:
    """The value farthest from 0 since the state began, of equals the first."""
    kept = np.zeros_like(values)
    for row in range(1, len(values)):
        last = kept[row - 1] if start[row] < row else 0.0
        kept[row] = values[row] if abs(values[row]) > abs(last) else last
    return kept


def _charge(holds: NDArray[np.bool_], past: Past) -> NDArray[np.int64]:
    """Frames of charge so far in the special under way, the first one not counted."""
    running = _running(past)
    begun = running & (before(running) == 0)
    first = np.maximum.accumulate(np.where(begun, np.arange(len(running)), 0))
    count = np.cumsum(holds)
    return np.where(running, np.maximum(count - count[first] - 1, 0), 0)


def _spent(past: Past) -> NDArray[np.bool_]:
    """Whether a floating special was used since the last ordinary landing, landing of such a special, or death."""
    action, airborne = past.seen["action"], past.seen["airborne"] == 1
    floats = _has(Op.FLOAT, past) | _has(Op.LIFT, past)
    used = floats & airborne
    refreshes = _has(Op.REFRESH, past)
    came_down = ~airborne & (before(refreshes & airborne) != 0)
    back = (np.isin(action, _ORDINARY_LANDINGS) & (before(action) != action)) | came_down
    back |= past.seen["stocks"] != np.concatenate([past.seen["stocks"][:1], past.seen["stocks"][:-1]])
    index = np.arange(len(action))
    last_use = np.maximum.accumulate(np.where(used, index, -1))
    last_back = np.maximum.accumulate(np.where(back, index, -1))
    return last_use > last_back
