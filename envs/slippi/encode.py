"""Frames and headers as Slippi events, whole games at once.

What the frame record lacks is filled so that parsers and viewers agree: the pre-frame position, action and percent
are the previous frame's post-frame values (the state before the input), identifiers of hits are 0.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import FIRST_FRAME, FOLLOWER, ITEM_SLOTS, LEADER, SEATS
from envs.slippi.events import FIELDS, STREAM_ORDER, Command, Version, event_dtype, has_event, payload_size
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


def frame_events(frames: NDArray[np.void], before: NDArray[np.void] | None, version: Version) -> bytes:
    """All events of consecutive frames [T] FRAME; `before` is the frame before the first, if there was one."""
    previous = np.concatenate([frames[:1] if before is None else before.reshape(1), frames[:-1]])
    ids, every = frames["frame"], np.arange(len(frames))
    events = _Events(version, ids)
    events.add(Command.FRAME_START, every, {"random_seed": frames["seed"], "scene_frame_counter": ids - FIRST_FRAME})
    _add_players(events, frames, previous)
    _add_stage(events, frames, previous, is_start=before is None)
    _add_items(events, frames["items"])
    events.add(Command.BOOKEND, every, {"latest_finalized_frame": ids})
    return events.interleaved()


class _Events:
    """Collects events command by command and lays them out frame after frame."""

    def __init__(self, version: Version, ids: NDArray[np.int32]) -> None:
        self._version = version
        self._ids = ids
        self._groups: list[tuple[int, int, NDArray[np.intp], NDArray[np.void]]] = []

    def add(self, command: Command, frame: NDArray[np.intp], values: dict[str, Any], order: int = 0) -> None:
        """One event at each frame with index `frame` [n], fields from `values` ([n] or scalars).

        `order` sorts events of the same command within a frame. What the version lacks is left out.
        """
        if not has_event(command, self._version) or not len(frame):
            return
        records = np.zeros(len(frame), event_dtype(command, self._version))
        assert records.dtype.names is not None
        for name, value in {"command": command, "frame": self._ids[frame], **values}.items():
            if name in records.dtype.names:
                records[name] = value
        self._groups.append((STREAM_ORDER.index(command), order, frame, records))

    def interleaved(self) -> bytes:
        """All events, frame after frame, each frame's in the order in which a game sends them."""
        groups = [(frame, records) for _, _, frame, records in sorted(self._groups, key=lambda group: group[:2])]
        frame = np.concatenate([frame for frame, _ in groups])
        size = np.repeat([records.itemsize for _, records in groups], [len(records) for _, records in groups])
        order = np.argsort(frame, kind="stable")
        start = np.empty(len(frame), np.intp)
        start[order] = np.cumsum(size[order]) - size[order]
        out = np.empty(int(size.sum()), np.uint8)
        done = 0
        for _, records in groups:
            at = start[done : done + len(records)]
            out[at[:, None] + np.arange(records.itemsize)] = records.view(np.uint8).reshape(len(records), -1)
            done += len(records)
        return out.tobytes()


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


def _record_values(command: Command, source: NDArray[np.void]) -> dict[str, NDArray[Any]]:
    """Event field -> column of the PLAYER or ITEM records `source` [n], for the fields the record has."""
    return {field.name: _column(source, field.target) for field in FIELDS[command] if field.target}


def _column(source: NDArray[np.void], target: str) -> NDArray[Any]:
    for step in target.split("."):
        source = source[:, int(step)] if step.isdigit() else source[step]
    return source


def _add_players(events: _Events, frames: NDArray[np.void], previous: NDArray[np.void]) -> None:
    for seat in range(SEATS):
        for slot in (LEADER, FOLLOWER):
            here = np.flatnonzero(frames["players"][:, seat, slot]["character"] >= 0)
            now, old = frames["players"][here, seat, slot], previous["players"][here, seat, slot]
            key = {"port": frames["ports"][here, seat], "follower": slot}
            state = _state_before(np.where(old["character"] >= 0, old, now)) | {"random_seed": frames["seed"][here]}
            order = seat * 2 + slot
            events.add(Command.PRE_FRAME, here, key | state | _record_values(Command.PRE_FRAME, now), order)
            events.add(Command.POST_FRAME, here, key | _record_values(Command.POST_FRAME, now), order)


def _state_before(old: NDArray[np.void]) -> dict[str, Any]:
    """Pre-frame fields of players [n] from the frame before."""
    return {
        "state": old["action"],
        "position.x": old["x"],
        "position.y": old["y"],
        "direction": old["facing"],
        "percent": old["percent"],
    }


def _add_items(events: _Events, items: NDArray[np.void]) -> None:
    for slot in range(ITEM_SLOTS):
        here = np.flatnonzero(items[:, slot]["kind"] >= 0)
        events.add(Command.ITEM, here, _record_values(Command.ITEM, items[here, slot]), slot)


def _add_stage(events: _Events, frames: NDArray[np.void], previous: NDArray[np.void], is_start: bool) -> None:
    """An event where a stage's state is known and has changed."""

    def changes(name: str) -> NDArray[np.intp]:
        known = frames[name] >= 0
        changed = frames[name] != previous[name]
        changed[0] |= is_start
        return np.flatnonzero(known & changed)

    for platform, name in enumerate(("fod_right", "fod_left")):
        at = changes(name)
        events.add(Command.FOD_PLATFORM, at, {"platform": platform, "height": frames[name][at]}, platform)
    at = changes("whispy")
    events.add(Command.WHISPY, at, {"direction": frames["whispy"][at]})
    at = changes("stadium")
    state = frames["stadium"][at]
    events.add(Command.STADIUM, at, {"event": state & 0xFF, "type": state >> 8})
