"""Recorded frames -> simulator games, one game per frame, so that each can be stepped and compared.

What a recording does not hold (tap timers, frames in a state, the short-hop flag, ...) is rebuilt from this frame
and those before, never from the frames after. One module per topic; a topic is a function that fills fields of
all rows of one seat, and `TOPICS` is their order: a later one may read what an earlier one filled.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.sim.fidelity.bodies import ENDLESS, STANDS, STRANGER, character_row, harness_tables, is_stranger, stage_row
from envs.sim.fidelity.seed.air import rebuild_drop, rebuild_feet
from envs.sim.fidelity.seed.attack import rebuild_charge, rebuild_landed, rebuild_stale_queue
from envs.sim.fidelity.seed.body import copy_body
from envs.sim.fidelity.seed.charge import rebuild_stored_charge
from envs.sim.fidelity.seed.clank import rebuild_rebound
from envs.sim.fidelity.seed.damage import rebuild_damage, rebuild_jump_buffer, rebuild_launch, rebuild_tech
from envs.sim.fidelity.seed.forms import rebuild_forms
from envs.sim.fidelity.seed.guard import rebuild_guard
from envs.sim.fidelity.seed.history import Past, look_back
from envs.sim.fidelity.seed.hold import rebuild_hold
from envs.sim.fidelity.seed.inputs import rebuild_inputs, rebuild_taps
from envs.sim.fidelity.seed.items import rebuild_items
from envs.sim.fidelity.seed.ledge import rebuild_hang, rebuild_ledge
from envs.sim.fidelity.seed.life import rebuild_life, rebuild_safety
from envs.sim.fidelity.seed.notes import rebuild_notes
from envs.sim.fidelity.seed.shove import rebuild_shove
from envs.sim.fidelity.seed.special import rebuild_special, rebuild_special_fall, rebuild_sword
from envs.sim.fidelity.seed.stage import rebuild_stage
from envs.sim.fidelity.seed.state import rebuild_clock, rebuild_jump, rebuild_landing, rebuild_squat, rebuild_turn
from envs.sim.fidelity.seed.taps import spend_taps
from envs.sim.hold_layout import FREE, HOLDS
from envs.sim.layout import new_games
from envs.sim.states import Flag

TOPICS: Final = (
    copy_body,
    rebuild_inputs,
    rebuild_taps,
    rebuild_clock,
    rebuild_landing,
    rebuild_turn,
    rebuild_jump,
    rebuild_feet,
    rebuild_ledge,
    rebuild_hang,
    rebuild_drop,
    rebuild_guard,
    rebuild_damage,
    rebuild_launch,
    rebuild_tech,
    rebuild_jump_buffer,
    rebuild_landed,
    rebuild_charge,
    rebuild_stale_queue,
    rebuild_hold,
    rebuild_rebound,
    rebuild_life,
    rebuild_safety,
    rebuild_special,
    rebuild_notes,
    rebuild_stored_charge,
    rebuild_squat,
    rebuild_shove,
    spend_taps,
    rebuild_sword,
    rebuild_special_fall,
)


def seed_games(frames: NDArray[np.void]) -> NDArray[np.void]:
    """Games [T] GAME in the state of frames [T] of one recorded game, to be stepped with `harness_tables()`.

    Raises ValueError for a stage that the simulator lacks.
    """
    constants = harness_tables()[0]
    row = stage_row(int(frames["stage"][0]))
    if row < 0:
        raise ValueError(f"the simulator has no stage {int(frames['stage'][0])}")
    games = new_games(len(frames))
    games["winner"] = -1
    rebuild_stage(games, frames, row, constants["stages"][row])
    players = frames["players"][:, :, LEADER]
    for seat in range(players.shape[1]):
        _seed_seat(games["fighters"][:, seat], players, seat, frames["frame"], constants, row)
    rebuild_forms(games, frames, constants["stages"], row)
    rebuild_items(games, frames, constants["characters"])
    return games


def _seed_seat(
    out: NDArray[np.void],
    players: NDArray[np.void],
    seat: int,
    ids: NDArray[np.int32],
    constants: NDArray[np.void],
    stage: int,
) -> None:
    row = character_row(int(players["character"][0, seat]))
    # What a stranger's common states are is read off the first character's; they are the same for all.
    past = look_back(players, seat, ids, 0 if is_stranger(row) else row, stage, constants)
    out["row"], out["seat"] = row, seat
    for topic in TOPICS:
        topic(out, past)
    if is_stranger(row):
        _stand_in(out, past)


def _stand_in(out: NDArray[np.void], past: Past) -> None:
    """Make a stranger of a seeded fighter; where its state pushes nobody it counts as in the air.

    One whose throws are known goes on holding what it holds.
    """
    holds = (out["grip"] == HOLDS) & (out["row"] != STRANGER)
    out["action"] = np.where(holds, out["action"], STANDS)
    out["grip"] = np.where(holds, HOLDS, np.minimum(out["grip"], FREE))
    out["life_timer"], out["move"] = ENDLESS, -1
    out["airborne"] = (out["airborne"] | ((past.state["flags"] & Flag.OVERLAPS) != 0)) & ~holds
