"""Our frames against libmelee's GameState, field by field."""

from __future__ import annotations

import math
from pathlib import Path

import melee
import numpy as np


def open_console(path: Path) -> melee.Console:
    """libmelee at the start of a .slp file."""
    console = melee.Console(path=str(path), is_dolphin=False, allow_old_version=True)
    assert console.connect()
    return console


def check_player(theirs: melee.PlayerState, ours: np.void, console: melee.Console, version: tuple[int, ...]) -> None:
    """A player (PLAYER) is libmelee's; fields that libmelee makes up for older versions are left out."""
    assert theirs.character.value == ours["character"]
    assert (theirs.position.x, theirs.position.y) == (ours["x"], ours["y"])
    assert theirs.action.value == ours["action"]
    shifted = theirs.action.value in console.zero_indices[theirs.character.value]
    assert theirs.action_frame == int(ours["state_age"]) + shifted
    assert theirs.percent == ours["percent"]
    assert theirs.facing == (ours["facing"] > 0)
    assert theirs.shield_strength == ours["shield"]
    assert theirs.stock == ours["stocks"]
    assert theirs.on_ground == (not ours["airborne"])
    assert theirs.jumps_left == ours["jumps_left"]
    misc = float(ours["misc_timer"])
    assert theirs.hitstun_frames_left == (0 if math.isnan(misc) else int(misc))
    if version >= (3, 8, 0):
        assert theirs.invulnerable == (ours["hurtbox"] != 0)
        assert theirs.hitlag_left == int(ours["hitlag"])
        assert theirs.speed_air_x_self == ours["speed_air_x"]
        assert theirs.speed_y_self == ours["speed_y"]
        assert theirs.speed_x_attack == ours["speed_x_attack"]
        assert theirs.speed_y_attack == ours["speed_y_attack"]
        assert theirs.speed_ground_x_self == ours["speed_ground_x"]
    check_controller(theirs.controller_state, ours)


def check_controller(theirs: melee.ControllerState, ours: np.void) -> None:
    """The input of the frame, sticks shifted to libmelee's 0..1."""
    controller = ours["controller"]
    assert theirs.main_stick == (controller["stick_x"] / 2 + 0.5, controller["stick_y"] / 2 + 0.5)
    assert theirs.c_stick == (controller["c_x"] / 2 + 0.5, controller["c_y"] / 2 + 0.5)
    assert theirs.l_shoulder == theirs.r_shoulder == controller["shoulder"]
    masks = {"A": 0x100, "B": 0x200, "X": 0x400, "Y": 0x800, "Z": 0x10, "R": 0x20, "L": 0x40, "D_UP": 0x8}
    for name, mask in masks.items():
        button = getattr(melee.Button, f"BUTTON_{name}")
        assert theirs.button[button] == bool(controller["buttons"] & mask)
        assert theirs.processed_button[button] == bool(ours["buttons_processed"] & mask)


def check_items(theirs: list[melee.Projectile], ours: np.ndarray) -> None:
    """Items in the order of the file."""
    present = ours[ours["kind"] >= 0]
    known = [(p.position.x, p.position.y, p.speed.x, p.speed.y, p.subtype, p.owner, p.spawn_id) for p in theirs]
    expected = [
        (i["x"], i["y"], i["speed_x"], i["speed_y"], i["state"], i["owner"] + 1, i["spawn_id"]) for i in present
    ]
    assert known == expected
    assert [p.expiration_frames for p in theirs] == [int(i["timer"]) for i in present]
