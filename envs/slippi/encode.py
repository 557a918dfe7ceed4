"""What stands before and after a game's frames, as Slippi events: their sizes, the header, the end."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.slippi.events import STREAM_ORDER, Command, Version, event_dtype, has_event, payload_size
from envs.slippi.game import GameMeta, PlayerKind

_EMPTY_PORT, _NO_CHARACTER = 3, 33
_START_DEFAULTS: Final = {
    **{f"bitfield.{i}": byte for i, byte in enumerate((0x30, 0x01, 0x86, 0x4C, 0xC3))},
    "self_destruct_score": -1,
    "language": 1,
    "scene.major": 2,
    "scene.minor": 2,
}
"""Game Start of a four-stock VS game as Slippi writes it (bytes seen in every tournament game)."""
_PLAYER_DEFAULTS: Final = {
    "character": _NO_CHARACTER,
    "type": _EMPTY_PORT,
    "stocks": 4,
    "handicap": 9,
    "ratio.0": 1.0,
    "ratio.1": 1.0,
    "ratio.2": 1.0,
    "dash_back": 1,
    "shield_drop": 1,
}
_COUNTING_DOWN = 2
_FIRST_DISPLAY_NAMES: Final = (3, 9, 0)


def payloads_event(version: Version) -> bytes:
    """The Event Payloads event that opens a stream."""
    commands = [Command.GAME_START, *(c for c in STREAM_ORDER if has_event(c, version)), Command.GAME_END]
    body = b"".join(bytes([c]) + payload_size(c, version).to_bytes(2, "big") for c in commands)
    return bytes([Command.PAYLOADS, len(body) + 1]) + body


def start_event(meta: GameMeta) -> bytes:
    """The Game Start event of a game."""
    record = np.zeros((), event_dtype(Command.GAME_START, meta.version))
    values: dict[str, Any] = {**_START_DEFAULTS, **_header_values(meta)}
    for port in range(6):
        values |= {f"player.{port}.{name}": value for name, value in _PLAYER_DEFAULTS.items()}
    for seat in meta.seats:
        values |= {f"player.{seat.port}.{name}": value for name, value in _seat_values(meta, seat.port).items()}
    return _filled(record, Command.GAME_START, values)


def end_event(meta: GameMeta) -> bytes:
    """The Game End event of a game; empty when `meta.end_method` is None."""
    if meta.end_method is None:
        return b""
    record = np.zeros((), event_dtype(Command.GAME_END, meta.version))
    values: dict[str, Any] = {"method": int(meta.end_method), "lras_initiator": meta.lras_port}
    values |= {f"placement.{port}": -1 for port in range(4)}
    values |= {f"placement.{seat.port}": seat.placement for seat in meta.seats}
    return _filled(record, Command.GAME_END, values)


def _header_values(meta: GameMeta) -> dict[str, Any]:
    values: dict[str, Any] = {f"version.{i}": part for i, part in enumerate(meta.version)}
    values |= {
        "bitfield.0": _START_DEFAULTS["bitfield.0"] | (_COUNTING_DOWN if meta.has_timer else 0),
        "is_teams": meta.is_teams,
        "item_spawn_frequency": meta.item_spawn_frequency,
        "stage": meta.stage,
        "timer": meta.timer_s,
        "damage_ratio": meta.damage_ratio,
        "random_seed": meta.random_seed,
        "is_pal": meta.is_pal,
        "is_frozen_ps": meta.is_frozen_stadium,
        "match.id": meta.match_id.encode(),
        "match.game": meta.match_game,
    }
    if meta.scene is not None:
        values |= {"scene.major": meta.scene[0], "scene.minor": meta.scene[1]}
    return values


def _seat_values(meta: GameMeta, port: int) -> dict[str, Any]:
    seat = next(seat for seat in meta.seats if seat.port == port)
    name = "display_name" if meta.version >= _FIRST_DISPLAY_NAMES else "name_tag"
    return {
        "character": seat.external_id,
        "type": int(seat.kind),
        "stocks": seat.stocks,
        "costume": seat.costume,
        "cpu_level": seat.cpu_level if seat.kind == PlayerKind.CPU else 1,
        name: shift_jis(seat.name, 30 if name == "display_name" else 15),
        "connect_code": shift_jis(seat.code.replace("#", "＃"), 9),
    }


def shift_jis(text: str, limit_bytes: int) -> bytes:
    """Text as Shift-JIS (Microsoft's, as parsers read it), whole characters only; what it cannot spell becomes '?'."""
    data = b""
    for character in text:
        spelled = character.encode("cp932", "replace")
        if len(data) + len(spelled) > limit_bytes:
            break
        data += spelled
    return data


def _filled(record: NDArray[np.void], command: Command, values: dict[str, Any]) -> bytes:
    """Bytes of a single event: the values that its version has."""
    assert record.dtype.names is not None
    record["command"] = command
    for name in record.dtype.names:
        if name in values:
            record[name] = values[name]
    return record.tobytes()
