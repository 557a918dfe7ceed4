"""The clock of an action state: frames spent in it, the speed of its animation, and what its start decided."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past, count_in_state, since
from envs.sim.kernel.inputs import JUMP_BUTTONS, LONG_AGO
from envs.sim.kernel.transition import ANIMATION_TAIL
from envs.sim.kernel.turns import SMASH, WANTS_DASH
from envs.sim.states import Kind

_FASTEST = 10.0
_L_CANCEL_FRAMES = 7
_SPECIAL_LANDING_LAG = 10.0


def rebuild_clock(out: NDArray[np.void], past: Past) -> None:
    """Whole frames in the state, and the animation's speed from its last step."""
    age, index = past.seen["state_age"], np.arange(len(past.seen))
    out["ticks"] = index - past.start
    step = np.concatenate([[1.0], age[1:] - age[:-1]])
    rate = np.where(past.start == index, 1.0, np.clip(step, 0.0, _FASTEST))
    # A frozen animation keeps its speed.
    moved = np.maximum.accumulate(np.where((rate > 0.0) | (past.start == index), index, 0))
    out["rate"] = rate[moved]
    waits = (past.state["kind"] == Kind.TURN_RUN) & (age >= past.common["turn_run_waits"])
    waits &= past.seen["facing"] == past.seen["facing"][past.start]
    out["rate"] = np.where(waits, 0.0, out["rate"])


def rebuild_landing(out: NDArray[np.void], past: Past) -> None:
    """Length of the landing under way, from whether the trigger came in time before it."""
    lag = past.state["landing_lag"]
    lag = np.where(out["guard_tap"][past.start] < _L_CANCEL_FRAMES, np.floor(lag / 2), lag)
    lag = np.where(out["action"] == Action.LANDING_SPECIAL.value, _SPECIAL_LANDING_LAG, lag)
    rate = np.where(lag > 0, (past.state["length"] + ANIMATION_TAIL) / np.maximum(lag, 1), out["rate"])
    known = (out["ticks"] > 0) | (lag <= 0)
    out["rate"] = np.where(known, out["rate"], rate)
    out["landing_lag"] = lag


def rebuild_turn(out: NDArray[np.void], past: Past) -> None:
    """Where a turn leads, and whether a smash input began it."""
    turning = past.state["kind"] == Kind.TURN
    about = np.isin(past.state["kind"], (Kind.TURN, Kind.TURN_RUN))
    out["turn_facing"] = np.where(about, -past.seen["facing"][past.start], past.seen["facing"])
    tapped = (np.abs(out["stick_x"][past.start]) >= 0.8) & (out["tap_x"][past.start] < 2)
    out["turn_from"] = out["prev_stick_x"][past.start]
    asked = out["stick_x"] * out["turn_facing"] >= float(past.common["dash"])
    asked &= (out["tap_x"] < int(past.common["dash_window"])) & turning
    asked_before = count_in_state(asked, past.start) > 0
    out["turn_dash"] = np.where(turning & tapped, SMASH | WANTS_DASH, np.where(asked_before, WANTS_DASH, 0))


def rebuild_jump(out: NDArray[np.void], past: Past) -> None:
    """Which input began a jump squat and whether it has been let go since."""
    by_button = (out["pressed"][past.start] & JUMP_BUTTONS) != 0
    out["jump_input"] = np.where(by_button, 1, 2)
    spent = ~by_button & (out["action"] == Action.KNEE_BEND.value)
    out["tap_y"] = np.where(spent, LONG_AGO, out["tap_y"])
    released = np.where(by_button, (out["buttons"] & JUMP_BUTTONS) == 0, out["stick_y"] < 0.3)
    out["short_hop"] = count_in_state(released, past.start) > 0


def rebuild_squat(out: NDArray[np.void], past: Past) -> None:
    """Frames until a crouch that began with a tap falls through its platform."""
    common = past.common
    tapped = (out["stick_y"] <= -float(common["platform_drop"])) & (out["tap_y"] < int(common["platform_drop_window"]))
    platform = past.stage["lines"]["platform"][np.maximum(out["line"], 0)] == 1
    asked = tapped & platform & (past.state["kind"] == Kind.SQUAT) & (out["ticks"] > 0)
    first = asked & (count_in_state(asked, past.start) == 1)
    left = float(common["squat_drop_frames"]) - since(first)
    pending = (past.state["kind"] == Kind.SQUAT) & (since(first) <= out["ticks"]) & (left > 0)
    out["script_timer"] = np.where(pending, left, out["script_timer"])
