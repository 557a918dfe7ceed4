"""After a hit: hitstun, influence on the launch, tumble, techs, lying on the floor."""

from __future__ import annotations

from typing import Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim.fidelity.events import incoming_hits
from envs.sim.fidelity.seed.history import Past, latest_row, since
from envs.sim.kernel.inputs import JUMP_BUTTONS, LONG_AGO, TRIGGERS
from envs.sim.states import Kind

_HURT: Final = (Kind.DAMAGE, Kind.TUMBLE, Kind.DOWN_HURT)


def rebuild_damage(out: NDArray[np.void], past: Past) -> None:
    """Hitstun left, which the recording holds in damage states only, and whether the fighter tumbles."""
    hurt = np.isin(past.state["kind"], _HURT)
    out["hitstun"] = np.where(hurt, np.nan_to_num(past.seen["misc_timer"]), 0.0)
    out["in_tumble"] = past.seen["action"] == Action.TUMBLING.value
    lying = np.isin(past.state["kind"], (Kind.DOWN_BOUND, Kind.DOWN_WAIT))
    out["airborne"] = (out["airborne"] == 1) & ~lying


def rebuild_launch(out: NDArray[np.void], past: Past) -> None:
    """Whether the launch can still be influenced, and the unfrozen frames since the last hit."""
    frozen = past.seen["hitlag"] > 0
    out["di_pending"] = frozen & np.isin(past.state["kind"], (Kind.DAMAGE, Kind.DOWN_HURT))
    hit = incoming_hits(past.seen) & frozen
    thawed = np.cumsum(np.concatenate([[False], past.seen["hitlag"][:-1] <= 1]))
    last = latest_row(hit)
    out["flash_timer"] = np.where(last >= 0, np.minimum(thawed - thawed[np.maximum(last, 0)], LONG_AGO), LONG_AGO)


def rebuild_tech(out: NDArray[np.void], past: Past) -> None:
    """Frames left in which a landing is a tech; a press too soon after another opens no window."""
    pressed = (out["pressed"] & TRIGGERS) != 0
    lockout, window = int(past.common["tech_lockout"]), int(past.common["tech_window"])
    out["tech_lockout"] = np.maximum(lockout - since(pressed), 0)
    earlier = np.concatenate([[LONG_AGO], since(pressed)[:-1] + 1])
    opened = pressed & (earlier >= lockout)
    out["tech_buffer"] = np.maximum(window - since(opened), 0)


def rebuild_jump_buffer(out: NDArray[np.void], past: Past) -> None:
    """Frames in which the end of hitstun is a jump, from the last jump input during it."""
    common = past.common
    jump = (out["pressed"] & JUMP_BUTTONS) != 0
    jump |= (out["stick_y"] >= float(common["tap_jump"])) & (out["tap_y"] < int(common["tap_jump_window"]))
    stunned = np.isin(past.state["kind"], _HURT) & (np.nan_to_num(past.seen["misc_timer"]) > 0)
    out["jump_buffer"] = np.maximum(int(common["hurt_jump_buffer"]) - since(jump & stunned), 0)
