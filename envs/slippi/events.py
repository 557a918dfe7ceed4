"""The Slippi event layout, once, as data: command bytes, fields, offsets, types and the version each came with.

The reader takes the columns of the parsed file from it (`Field.name` is peppi's path), the writer and the live
parser the bytes (`offset`, `code`), and both put them where `Field.target` says in the frame record.
Source: the Slippi replay file specification (project-slippi/slippi-wiki, SPEC.md); every offset is checked by
writing a game and reading it back with peppi and libmelee. All numbers are big-endian.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Final

import numpy as np

from envs.frame import word_offset

Version = tuple[int, int, int]


class Command(IntEnum):
    """First byte of an event."""

    SPLITTER = 0x10
    PAYLOADS = 0x35
    GAME_START = 0x36
    PRE_FRAME = 0x37
    POST_FRAME = 0x38
    GAME_END = 0x39
    FRAME_START = 0x3A
    ITEM = 0x3B
    BOOKEND = 0x3C
    FOD_PLATFORM = 0x3F
    WHISPY = 0x40
    STADIUM = 0x41


MENU_EVENT: Final = 0x3E
"""A menu's state; no part of a game, but Dolphin may send it before a game's last frame is whole."""
MENU_BYTES: Final = 74


@dataclass(frozen=True)
class Field:
    """One value of an event."""

    name: str
    """Dotted path, as peppi names it."""
    offset: int
    """Bytes from the command byte."""
    code: str
    """numpy type code, big-endian."""
    since: Version
    """First Slippi version that has it."""
    target: str = ""
    """Dotted path in PLAYER (pre- and post-frame) or ITEM; empty: the frame record has no such field."""

    def word(self, record: np.dtype[np.void]) -> int:
        """Which 32-bit word of PLAYER or ITEM the target is."""
        return word_offset(record, *(int(step) if step.isdigit() else step for step in self.target.split(".")))


_FRAME_ID = Field("frame", 0x1, ">i4", (0, 1, 0))
_PLAYER_KEY = (_FRAME_ID, Field("port", 0x5, ">u1", (0, 1, 0)), Field("follower", 0x6, ">u1", (0, 1, 0)))

PRE_FRAME: Final = (
    *_PLAYER_KEY,
    Field("random_seed", 0x7, ">u4", (0, 1, 0)),
    Field("state", 0xB, ">u2", (0, 1, 0)),
    Field("position.x", 0xD, ">f4", (0, 1, 0)),
    Field("position.y", 0x11, ">f4", (0, 1, 0)),
    Field("direction", 0x15, ">f4", (0, 1, 0)),
    Field("joystick.x", 0x19, ">f4", (0, 1, 0), "controller.stick_x"),
    Field("joystick.y", 0x1D, ">f4", (0, 1, 0), "controller.stick_y"),
    Field("cstick.x", 0x21, ">f4", (0, 1, 0), "controller.c_x"),
    Field("cstick.y", 0x25, ">f4", (0, 1, 0), "controller.c_y"),
    Field("triggers", 0x29, ">f4", (0, 1, 0), "controller.shoulder"),
    Field("buttons", 0x2D, ">u4", (0, 1, 0), "buttons_processed"),
    Field("buttons_physical", 0x31, ">u2", (0, 1, 0), "controller.buttons"),
    Field("triggers_physical.l", 0x33, ">f4", (0, 1, 0), "trigger_l"),
    Field("triggers_physical.r", 0x37, ">f4", (0, 1, 0), "trigger_r"),
    Field("raw_analog_x", 0x3B, ">i1", (1, 2, 0), "raw_x"),
    Field("percent", 0x3C, ">f4", (1, 4, 0)),
    Field("raw_analog_y", 0x40, ">i1", (3, 15, 0), "raw_y"),
    Field("raw_analog_cstick_x", 0x41, ">i1", (3, 17, 0)),
    Field("raw_analog_cstick_y", 0x42, ">i1", (3, 17, 0)),
)

POST_FRAME: Final = (
    *_PLAYER_KEY,
    Field("character", 0x7, ">u1", (0, 1, 0), "character"),
    Field("state", 0x8, ">u2", (0, 1, 0), "action"),
    Field("position.x", 0xA, ">f4", (0, 1, 0), "x"),
    Field("position.y", 0xE, ">f4", (0, 1, 0), "y"),
    Field("direction", 0x12, ">f4", (0, 1, 0), "facing"),
    Field("percent", 0x16, ">f4", (0, 1, 0), "percent"),
    Field("shield", 0x1A, ">f4", (0, 1, 0), "shield"),
    Field("last_attack_landed", 0x1E, ">u1", (0, 1, 0), "last_attack"),
    Field("combo_count", 0x1F, ">u1", (0, 1, 0), "combo_count"),
    Field("last_hit_by", 0x20, ">u1", (0, 1, 0), "last_hit_by"),
    Field("stocks", 0x21, ">u1", (0, 1, 0), "stocks"),
    Field("state_age", 0x22, ">f4", (0, 2, 0), "state_age"),
    *(Field(f"state_flags.{i}", 0x26 + i, ">u1", (2, 0, 0), f"state_flags.{i}") for i in range(5)),
    Field("misc_as", 0x2B, ">f4", (2, 0, 0), "misc_timer"),
    Field("airborne", 0x2F, ">u1", (2, 0, 0), "airborne"),
    Field("ground", 0x30, ">u2", (2, 0, 0), "ground_id"),
    Field("jumps", 0x32, ">u1", (2, 0, 0), "jumps_left"),
    Field("l_cancel", 0x33, ">u1", (2, 0, 0), "l_cancel"),
    Field("hurtbox_state", 0x34, ">u1", (2, 1, 0), "hurtbox"),
    Field("velocities.self_x_air", 0x35, ">f4", (3, 5, 0), "speed_air_x"),
    Field("velocities.self_y", 0x39, ">f4", (3, 5, 0), "speed_y"),
    Field("velocities.knockback_x", 0x3D, ">f4", (3, 5, 0), "speed_x_attack"),
    Field("velocities.knockback_y", 0x41, ">f4", (3, 5, 0), "speed_y_attack"),
    Field("velocities.self_x_ground", 0x45, ">f4", (3, 5, 0), "speed_ground_x"),
    Field("hitlag", 0x49, ">f4", (3, 8, 0), "hitlag"),
    Field("animation_index", 0x4D, ">u4", (3, 11, 0), "animation"),
    Field("last_hit_by_instance", 0x51, ">u2", (3, 16, 0)),
    Field("instance_id", 0x53, ">u2", (3, 16, 0)),
)

ITEM: Final = (
    Field("frame", 0x1, ">i4", (3, 0, 0)),
    Field("type", 0x5, ">u2", (3, 0, 0), "kind"),
    Field("state", 0x7, ">u1", (3, 0, 0), "state"),
    Field("direction", 0x8, ">f4", (3, 0, 0), "facing"),
    Field("velocity.x", 0xC, ">f4", (3, 0, 0), "speed_x"),
    Field("velocity.y", 0x10, ">f4", (3, 0, 0), "speed_y"),
    Field("position.x", 0x14, ">f4", (3, 0, 0), "x"),
    Field("position.y", 0x18, ">f4", (3, 0, 0), "y"),
    Field("damage", 0x1C, ">u2", (3, 0, 0), "damage"),
    Field("timer", 0x1E, ">f4", (3, 0, 0), "timer"),
    Field("id", 0x22, ">u4", (3, 0, 0), "spawn_id"),
    *(Field(f"misc.{i}", 0x26 + i, ">u1", (3, 2, 0), f"misc.{i}") for i in range(4)),
    Field("owner", 0x2A, ">i1", (3, 6, 0), "owner"),
    Field("instance_id", 0x2B, ">u2", (3, 16, 0)),
)

FIELDS: Final[dict[Command, tuple[Field, ...]]] = {
    Command.FRAME_START: (
        Field("frame", 0x1, ">i4", (2, 2, 0)),
        Field("random_seed", 0x5, ">u4", (2, 2, 0)),
        Field("scene_frame_counter", 0x9, ">u4", (3, 10, 0)),
    ),
    Command.PRE_FRAME: PRE_FRAME,
    Command.FOD_PLATFORM: (
        Field("frame", 0x1, ">i4", (3, 18, 0)),
        Field("platform", 0x5, ">u1", (3, 18, 0)),  # 0 right, 1 left
        Field("height", 0x6, ">f4", (3, 18, 0)),
    ),
    Command.WHISPY: (
        Field("frame", 0x1, ">i4", (3, 18, 0)),
        Field("direction", 0x5, ">u1", (3, 18, 0)),  # 0 none, 1 left, 2 right
    ),
    Command.STADIUM: (
        Field("frame", 0x1, ">i4", (3, 18, 0)),
        Field("event", 0x5, ">u2", (3, 18, 0)),
        Field("type", 0x7, ">u2", (3, 18, 0)),
    ),
    Command.ITEM: ITEM,
    Command.POST_FRAME: POST_FRAME,
    Command.BOOKEND: (
        Field("frame", 0x1, ">i4", (3, 0, 0)),
        Field("latest_finalized_frame", 0x5, ">i4", (3, 7, 0)),
    ),
    Command.GAME_END: (
        Field("method", 0x1, ">u1", (0, 1, 0)),
        Field("lras_initiator", 0x2, ">i1", (2, 0, 0)),
        *(Field(f"placement.{i}", 0x3 + i, ">i1", (3, 13, 0)) for i in range(4)),
    ),
}
"""Fields of each event but Game Start, in the order in which a game sends the events of one frame."""


def _start_fields() -> tuple[Field, ...]:
    fields = [
        *(Field(f"version.{i}", 0x1 + i, ">u1", (0, 1, 0)) for i in range(3)),
        *(Field(f"bitfield.{i}", 0x5 + i, ">u1", (0, 1, 0)) for i in range(5)),
        Field("is_teams", 0xD, ">u1", (0, 1, 0)),
        Field("item_spawn_frequency", 0x10, ">i1", (0, 1, 0)),
        Field("self_destruct_score", 0x11, ">i1", (0, 1, 0)),
        Field("stage", 0x13, ">u2", (0, 1, 0)),
        Field("timer", 0x15, ">u4", (0, 1, 0)),  # seconds
        Field("damage_ratio", 0x35, ">f4", (0, 1, 0)),
        Field("random_seed", 0x13D, ">u4", (0, 1, 0)),
        Field("is_pal", 0x1A1, ">u1", (1, 5, 0)),
        Field("is_frozen_ps", 0x1A2, ">u1", (2, 0, 0)),
        Field("scene.minor", 0x1A3, ">u1", (3, 7, 0)),
        Field("scene.major", 0x1A4, ">u1", (3, 7, 0)),
        Field("language", 0x2BD, ">u1", (3, 12, 0)),
        Field("match.id", 0x2BE, "S51", (3, 14, 0)),
        Field("match.game", 0x2F1, ">u4", (3, 14, 0)),
        Field("match.tiebreaker", 0x2F5, ">u4", (3, 14, 0)),
    ]
    for i in range(6):  # the game's block has room for six players; Slippi uses four
        base = 0x65 + 0x24 * i
        fields += [
            Field(f"player.{i}.character", base, ">u1", (0, 1, 0)),  # external id
            Field(f"player.{i}.type", base + 0x1, ">u1", (0, 1, 0)),  # 0 human, 1 CPU, 2 demo, 3 empty
            Field(f"player.{i}.stocks", base + 0x2, ">u1", (0, 1, 0)),
            Field(f"player.{i}.costume", base + 0x3, ">u1", (0, 1, 0)),
            Field(f"player.{i}.handicap", base + 0x8, ">u1", (0, 1, 0)),
            Field(f"player.{i}.cpu_level", base + 0xF, ">u1", (0, 1, 0)),
            *(Field(f"player.{i}.ratio.{k}", base + 0x14 + 4 * k, ">f4", (0, 1, 0)) for k in range(3)),
        ]
    for i in range(4):
        fields += [
            Field(f"player.{i}.dash_back", 0x141 + 8 * i, ">u4", (1, 0, 0)),
            Field(f"player.{i}.shield_drop", 0x145 + 8 * i, ">u4", (1, 0, 0)),
            Field(f"player.{i}.name_tag", 0x161 + 0x10 * i, "S16", (1, 3, 0)),  # Shift-JIS
            Field(f"player.{i}.display_name", 0x1A5 + 0x1F * i, "S31", (3, 9, 0)),  # Shift-JIS
            Field(f"player.{i}.connect_code", 0x221 + 0xA * i, "S10", (3, 9, 0)),  # Shift-JIS, full-width #
            Field(f"player.{i}.user_id", 0x249 + 0x1D * i, "S29", (3, 11, 0)),
        ]
    return tuple(fields)


FIELDS[Command.GAME_START] = _start_fields()

STREAM_ORDER: Final = tuple(Command(c) for c in FIELDS if c not in (Command.GAME_START, Command.GAME_END))
"""Order of the events within one frame."""
_FIRST_VERSION: Final[dict[Command, Version]] = {
    command: min(field.since for field in fields) for command, fields in FIELDS.items()
}


def has_event(command: Command, version: Version) -> bool:
    """Whether files of `version` have this event at all."""
    return version >= _FIRST_VERSION[command]


@cache
def event_dtype(command: Command, version: Version) -> np.dtype[np.void]:
    """Packed big-endian record of one event, command byte included, with the fields that `version` has."""
    fields = [Field("command", 0, ">u1", (0, 1, 0)), *(f for f in FIELDS[command] if f.since <= version)]
    end = max(f.offset + np.dtype(f.code).itemsize for f in fields)
    if command == Command.GAME_START:
        end = max(end, _START_BLOCK_END)
    return np.dtype(
        {
            "names": [f.name for f in fields],
            "formats": [f.code for f in fields],
            "offsets": [f.offset for f in fields],
            "itemsize": end,
        }
    )


_START_BLOCK_END = 0x141
"""The game's own block and the random seed after it are there in every version."""


def payload_size(command: Command, version: Version) -> int:
    """Bytes of an event after its command byte, as the Event Payloads event lists them."""
    return event_dtype(command, version).itemsize - 1
