"""Stick taps that an action has used up: until the stick enters its zone anew they cause nothing more."""

from __future__ import annotations

from typing import Any

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past
from envs.sim.kernel.inputs import LONG_AGO
from envs.sim.states import Kind

_LAUNCHED = (Kind.DAMAGE, Kind.DOWN_HURT)
_JUMPS = (Action.JUMPING_FORWARD.value, Action.JUMPING_BACKWARD.value)
_SECOND_JUMPS = (Action.JUMPING_ARIAL_FORWARD.value, Action.JUMPING_ARIAL_BACKWARD.value)


def spend_taps(out: NDArray[np.void], past: Past) -> None:
    """Set the tap timers to long ago where a dash, jump, fast fall, platform drop, hit or shift has spent them."""
    action = past.seen["action"]
    begun = past.start == np.arange(len(action))
    falling = out["fast_fall"] == 1
    entered = {name: out[name] == 0 for name in ("tap_x", "tap_y")}
    hit = begun & np.isin(past.state["kind"], _LAUNCHED)
    across = hit | (begun & (action == Action.DASHING.value))
    down = hit | (begun & (np.isin(action, _SECOND_JUMPS) | (action == Action.PLATFORM_DROP.value)))
    down |= falling & ~np.concatenate([[False], falling[:-1]])
    for row in np.flatnonzero(across).tolist():
        _spend(out, "tap_x", entered["tap_x"], row)
    for row in np.flatnonzero(down).tolist():
        _spend(out, "tap_y", entered["tap_y"], row)
    for row in np.flatnonzero(begun & np.isin(action, _JUMPS)).tolist():
        if not entered["tap_y"][row]:  # it jumped before this frame's input was read
            _spend(out, "tap_y", entered["tap_y"], row)
    _spend_shifts(out, past, entered)


def _spend(out: NDArray[np.void], name: str, entered: NDArray[np.bool_], row: int | np.signedinteger[Any]) -> None:
    """Forget a tap from `row` on, until the stick enters its zone again."""
    later = np.flatnonzero(entered[row + 1 : row + LONG_AGO])
    out[name][row : row + 1 + (int(later[0]) if len(later) else LONG_AGO)] = LONG_AGO


def _spend_shifts(out: NDArray[np.void], past: Past, entered: dict[str, NDArray[np.bool_]]) -> None:
    """A frozen victim that shifts itself spends both taps; frame by frame, as one shift decides the next."""
    frozen = np.isin(past.state["kind"], _LAUNCHED) & (past.seen["hitlag"] > 0)
    frozen &= np.concatenate([[False], frozen[:-1]])
    held = np.hypot(out["stick_x"], out["stick_y"]) >= past.common["sdi_radius"]
    for row in np.flatnonzero(frozen & held).tolist():
        if min(out["tap_x"][row], out["tap_y"][row]) < past.common["sdi_window"]:
            for name, fresh in entered.items():
                _spend(out, name, fresh, row)
