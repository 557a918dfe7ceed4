"""Controllers: this frame's and the last frame's input, and how long ago sticks and triggers were tapped."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from envs.frame import FIRST_PLAYABLE_FRAME
from envs.game import Button
from envs.sim.fidelity.seed.history import Past, before, since
from envs.sim.kernel.inputs import LONG_AGO, TRIGGERS


def rebuild_inputs(out: NDArray[np.void], past: Past) -> None:
    """Sticks, buttons and triggers of this frame and the last, nothing before the first playable frame."""
    pad = past.seen["controller"]
    locked = past.ids < FIRST_PLAYABLE_FRAME
    for name in ("stick_x", "stick_y", "c_x", "c_y"):
        out[name] = np.where(locked, 0.0, pad[name])
        out[f"prev_{name}"] = before(out[name])
    out["buttons"] = np.where(locked, 0, pad["buttons"])
    out["prev_buttons"] = before(out["buttons"])
    out["pressed"] = out["buttons"] & ~out["prev_buttons"]
    out["shoulder"] = np.where(out["buttons"] & TRIGGERS, 1.0, np.where(locked, 0.0, pad["shoulder"]))
    out["prev_shoulder"] = before(out["shoulder"])


def rebuild_taps(out: NDArray[np.void], past: Past) -> None:
    """Frames since each stick axis left its neutral zone and since a trigger was newly pressed."""
    zone = float(past.common["tap_zone"])
    out["tap_x"] = _taps(out["stick_x"], zone)
    out["tap_y"] = _taps(out["stick_y"], zone)
    dead = float(past.common["trigger_dead_zone"])
    fresh = (out["pressed"] & (TRIGGERS | Button.Z.value)) != 0
    fresh |= (out["shoulder"] >= dead) & (out["prev_shoulder"] < dead)
    out["guard_tap"] = np.minimum(since(fresh), LONG_AGO)


def _taps(stick: NDArray[np.float32], zone: float) -> NDArray[np.int64]:
    side = np.where(stick >= zone, 1, np.where(stick <= -zone, -1, 0))
    entered = side != np.concatenate([[0], side[:-1]])
    return np.where(side == 0, LONG_AGO, np.minimum(since(entered), LONG_AGO))
