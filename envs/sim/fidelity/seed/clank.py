"""A rebound off another attack: its length and speed, from how long the clank froze the fighter."""

from __future__ import annotations

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.seed.history import Past

_PERCENT_PER_FRAME = 3.0


def rebuild_rebound(out: NDArray[np.void], past: Past) -> None:
    """The damage that clanked is known to within three percent, by the frames it froze."""
    common = past.common
    stopped = past.seen["action"] == Action.REBOUND_STOP.value
    frozen = past.seen["hitlag"][past.start] - common["hitlag_base"]
    frames = common["rebound_base"] + common["rebound_per_damage"] * (_PERCENT_PER_FRAME * frozen + 1.0)
    out["rebound_frames"] = np.where(stopped, frames, 0.0)
    away = np.where(past.seen["x"] < past.other["x"], -1.0, 1.0)
    speed = common["rebound_speed"] + common["rebound_speed_per_frame"] * frames
    out["dash_impulse"] = np.where(stopped, away * speed, out["dash_impulse"])
