"""Recorded frames -> simulator games, one game per frame, so that each can be stepped once and compared.

What a recording does not hold (tap timers, frames in a state, the short-hop flag, ...) is rebuilt from the
frames before, never from the frames after.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.frame import FIRST_PLAYABLE_FRAME, LEADER
from envs.sim.compile import tables
from envs.sim.kernel.inputs import JUMP_BUTTONS, LONG_AGO, TRIGGERS
from envs.sim.kernel.publish import FAST_FALLING
from envs.sim.kernel.transition import ECB_LOCK_FRAMES
from envs.sim.layout import FEET_AGES, GAME
from envs.sim.states import Flag, Kind, Physics

KNOCKDOWNS: Final = (Action.TECH_MISS_UP.value, Action.TECH_MISS_DOWN.value)
PARKED_X: Final = 1000.0
"""Where a fighter stands that the simulator does not know, out of everybody's reach."""
LEDGE_COOLDOWN_FRAMES: Final = 29
"""Frames after letting go of a ledge, less the one that let go, in which it cannot be caught."""


def seed_games(frames: NDArray[np.void]) -> NDArray[np.void]:
    """Games [T] GAME in the state of frames [T] of one recorded game on a stage the simulator has."""
    constants = tables()[0]
    stages = [int(s) for s in constants["stages"]["stage"]]
    games = np.zeros(len(frames), GAME)
    games["frame"] = frames["frame"]
    games["stage"] = stages.index(int(frames["stage"][0]))
    games["frames_left"] = -1
    games["winner"] = -1
    games["items"]["kind"] = -1
    for seat in range(2):
        _seed_fighter(games["fighters"][:, seat], frames["players"][:, seat, LEADER], constants, frames["frame"], seat)
    return games


def _seed_fighter(
    out: NDArray[np.void], seen: NDArray[np.void], constants: NDArray[np.void], ids: NDArray[np.int32], seat: int
) -> None:
    rows = [int(c) for c in constants["characters"]["character"]]
    known = np.isin(seen["character"], rows)
    out["row"] = 0
    out["seat"] = seat
    states = constants["characters"][0]["states"]
    _copy(out, seen, states)
    _rebuild_inputs(out, seen, constants["common"], ids)
    _rebuild_state(out, seen, states, constants["characters"][0]["feet"])
    out["x"][~known] = PARKED_X
    out["action"][~known] = Action.STANDING.value
    out["airborne"][~known] = 0


def _copy(out: NDArray[np.void], seen: NDArray[np.void], states: NDArray[np.void]) -> None:
    direct = ("x", "y", "facing", "percent", "shield", "stocks", "airborne", "hitlag", "action", "last_hit_by")
    for name in (*direct, "jumps_left", "last_attack", "combo_count"):
        out[name] = seen[name]
    out["prev_x"], out["prev_y"] = seen["x"], seen["y"]
    # A knockdown's animation leaves the floor for a while; the simulator keeps it on its line.
    grounded = (seen["airborne"] == 0) | np.isin(seen["action"], KNOCKDOWNS)
    out["airborne"] = ~grounded
    out["age"] = seen["state_age"]
    out["vx"], out["vy"] = seen["speed_air_x"], seen["speed_y"]
    out["ground_v"] = np.where(grounded, seen["speed_ground_x"], 0.0)
    out["ground_kb"] = np.where(grounded, seen["speed_x_attack"], 0.0)
    out["kb_x"] = np.where(grounded, 0.0, seen["speed_x_attack"])
    out["kb_y"] = np.where(grounded, 0.0, seen["speed_y_attack"])
    out["line"] = np.where((seen["ground_id"] >= 0) & (seen["ground_id"] < 8), seen["ground_id"], -1)
    out["drop_line"] = -1
    out["ledge"] = -1
    out["move"] = states["move"][np.clip(seen["action"], 0, len(states) - 1)]
    out["fast_fall"] = (seen["state_flags"][:, 1] & FAST_FALLING) != 0
    in_damage = np.isin(states["kind"][np.clip(seen["action"], 0, len(states) - 1)], (Kind.DAMAGE, Kind.TUMBLE))
    out["hitstun"] = np.where(in_damage, np.nan_to_num(seen["misc_timer"]), 0.0)
    out["in_tumble"] = seen["action"] == Action.TUMBLING.value
    out["shield_amount"] = 1.0


def _rebuild_inputs(
    out: NDArray[np.void], seen: NDArray[np.void], common: NDArray[np.void], ids: NDArray[np.int32]
) -> None:
    pad = seen["controller"]
    locked = ids < FIRST_PLAYABLE_FRAME
    for ours, theirs in (("stick_x", "stick_x"), ("stick_y", "stick_y"), ("c_x", "c_x"), ("c_y", "c_y")):
        out[ours] = np.where(locked, 0.0, pad[theirs])
        out[f"prev_{ours}"] = _before(out[ours])
    out["buttons"] = np.where(locked, 0, pad["buttons"])
    out["prev_buttons"] = _before(out["buttons"])
    out["pressed"] = out["buttons"] & ~out["prev_buttons"]
    out["shoulder"] = np.where(out["buttons"] & TRIGGERS, 1.0, np.where(locked, 0.0, pad["shoulder"]))
    out["prev_shoulder"] = _before(out["shoulder"])
    zone = float(common["tap_zone"])
    out["tap_x"] = _taps(out["stick_x"], zone)
    out["tap_y"] = _taps(out["stick_y"], zone)
    dead = float(common["trigger_dead_zone"])
    fresh = (out["pressed"] & (TRIGGERS | 0x10)) != 0
    fresh |= (out["shoulder"] >= dead) & (out["prev_shoulder"] < dead)
    out["guard_tap"] = np.minimum(_since(fresh), LONG_AGO)


def _before(values: NDArray[np.generic]) -> NDArray[np.generic]:
    return np.concatenate([values[:1] * 0, values[:-1]])


def _since(event: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Frames since the last event, counting from a long time ago."""
    index = np.arange(len(event))
    last = np.maximum.accumulate(np.where(event, index, -LONG_AGO))
    return index - last


def _taps(stick: NDArray[np.float32], zone: float) -> NDArray[np.int64]:
    side = np.where(stick >= zone, 1, np.where(stick <= -zone, -1, 0))
    entered = side != np.concatenate([[0], side[:-1]])
    return np.where(side == 0, LONG_AGO, np.minimum(_since(entered), LONG_AGO))


def _rebuild_state(
    out: NDArray[np.void], seen: NDArray[np.void], states: NDArray[np.void], feet: NDArray[np.float32]
) -> None:
    action, age = seen["action"], seen["state_age"]
    changed = np.ones(len(action), np.bool_)
    changed[1:] = (action[1:] != action[:-1]) | (age[1:] < age[:-1])
    start = np.maximum.accumulate(np.where(changed, np.arange(len(action)), 0))
    out["ticks"] = np.arange(len(action)) - start
    step = np.concatenate([[1.0], age[1:] - age[:-1]])
    out["rate"] = np.where(changed, 1.0, np.clip(step, 0.0, 10.0))
    _rebuild_landing(out, states, start)
    row = states[np.clip(action, 0, len(states) - 1)]
    out["turn_facing"] = np.where(row["kind"] == Kind.TURN, -seen["facing"][start], seen["facing"])
    tapped = (np.abs(out["stick_x"][start]) >= 0.8) & (out["tap_x"][start] < 2)
    out["turn_dash"] = (row["kind"] == Kind.TURN) & tapped
    _rebuild_jump(out, start)
    _rebuild_air(out, row, action, feet)
    _rebuild_special(out, row["physics"] == Physics.SCRIPT)


def _rebuild_landing(out: NDArray[np.void], states: NDArray[np.void], start: NDArray[np.int64]) -> None:
    """Length of the landing under way, from whether the trigger came in time before it."""
    timed = out["guard_tap"][start] < 7
    lag = states["landing_lag"][np.clip(out["action"], 0, len(states) - 1)]
    lag = np.where(timed, np.floor(lag / 2), lag)
    lag = np.where(out["action"] == Action.LANDING_SPECIAL.value, 10.0, lag)
    length = states["length"][np.clip(out["action"], 0, len(states) - 1)]
    rate = np.where(lag > 0, (length + 0.1) / np.maximum(lag, 1), out["rate"])
    known = (out["ticks"] > 0) | (lag <= 0)
    out["rate"] = np.where(known, out["rate"], rate)
    out["landing_lag"] = lag


def _rebuild_jump(out: NDArray[np.void], start: NDArray[np.int64]) -> None:
    """Which input began a jump squat and whether it has been let go since."""
    by_button = (out["pressed"][start] & JUMP_BUTTONS) != 0
    out["jump_input"] = np.where(by_button, 1, 2)
    spent = ~by_button & (out["action"] == Action.KNEE_BEND.value)
    out["tap_y"] = np.where(spent, LONG_AGO, out["tap_y"])
    released = np.where(by_button, (out["buttons"] & JUMP_BUTTONS) == 0, out["stick_y"] < 0.3)
    later = out["ticks"] > 0
    count = np.cumsum(released & later)
    out["short_hop"] = (count - count[start]) > 0


def _rebuild_air(
    out: NDArray[np.void], row: NDArray[np.void], action: NDArray[np.int32], feet: NDArray[np.float32]
) -> None:
    airborne = out["airborne"] == 1
    left = airborne & ~np.concatenate([[True], airborne[:-1]])
    jumped = np.isin(action, (Action.JUMPING_FORWARD.value, Action.JUMPING_BACKWARD.value))
    since = _since(left)
    from_jump = _latest(left, jumped)
    lock = np.where(airborne & from_jump, ECB_LOCK_FRAMES - since - 1, 0)
    out["ecb_lock"] = np.maximum(lock, 0)
    ages = np.clip(out["age"].astype(np.int64), 0, FEET_AGES - 1)
    out["feet"] = np.where(airborne & (out["ecb_lock"] == 0), feet[row["feet_row"], ages], 0.0)
    out["prev_feet"] = out["feet"]
    at_ledge = np.isin(row["kind"], (Kind.LEDGE_CATCH, Kind.LEDGE_HANG, Kind.LEDGE_OPTION, Kind.LEDGE_JUMP))
    out["ledge"] = np.where(at_ledge, (out["x"] > 0).astype(np.int32), -1)
    dropped = ~at_ledge & np.concatenate([[False], at_ledge[:-1]])
    out["ledge_cooldown"] = np.maximum(LEDGE_COOLDOWN_FRAMES - _since(dropped), 0)
    out["shield_hold"] = np.where(row["flags"] & Flag.SHIELDED, np.maximum(8 - out["ticks"], 0), 0)
    last_floor = np.concatenate([[-1], out["line"][:-1]])
    dropping = action == Action.PLATFORM_DROP.value
    out["drop_line"] = np.where(dropping, last_floor, -1)
    out["tap_y"] = np.where(dropping & (out["tap_y"] >= out["ticks"]), LONG_AGO, out["tap_y"])
    lying = np.isin(row["kind"], (Kind.DOWN_BOUND, Kind.DOWN_WAIT))
    out["airborne"] = airborne & ~lying
    dead = row["kind"] == Kind.DEAD
    out["life_timer"] = np.where(dead, 60 - out["ticks"], 240 - out["ticks"])


def _rebuild_special(out: NDArray[np.void], special: NDArray[np.bool_]) -> None:
    """Frames spent in the present special, frozen ones apart, and its aim, which is the way it moves."""
    begun = special & (_before(special) == 0)
    first = np.maximum.accumulate(np.where(begun, np.arange(len(special)), 0))
    run = special & (out["hitlag"] == 0)
    count = np.cumsum(run)
    out["script_timer"] = np.where(special, count - count[first] + run[first], 0)
    speed_x = np.where(out["airborne"] == 1, out["vx"], out["ground_v"])
    speed_y = np.where(out["airborne"] == 1, out["vy"], 0.0)
    speed = np.hypot(speed_x, speed_y)
    moves = special & (speed > 0)
    out["script_x"] = np.where(moves, speed_x / np.where(moves, speed, 1.0), 0.0)
    out["script_y"] = np.where(moves, speed_y / np.where(moves, speed, 1.0), 1.0)


def _latest(event: NDArray[np.bool_], value: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """`value` as it was at the last event; False before the first."""
    index = np.maximum.accumulate(np.where(event, np.arange(len(event)), -1))
    return np.where(index >= 0, value[index], False)
