"""A game as compact data for the replay page: quantised columns, delta-coded, deflated, base64.

Every column is 16 bits per frame. Values change little from frame to frame, so the differences deflate to a
few bytes a frame; the page undoes it with the browser's own decompression. Positions keep 1/50 unit.
"""

from __future__ import annotations

import base64
import zlib
from typing import Any, Final

import numpy as np
from melee import stages as melee_stages
from numpy.typing import NDArray

from envs.frame import FOLLOWER, ITEM_SLOTS, LEADER, SEATS
from envs.game import Stage
from envs.slippi.game import Game
from envs.stage_outlines import StageOutline, stage_outlines
from exphil_league.observe.watch_events import stock_losses
from exphil_league.observe.watch_figures import figures, item_shapes, special_pose
from exphil_league.observe.watch_names import action_title, character_title, words

UNITS_STEP: Final = 50.0
STICK_STEP: Final = 80.0
TENTHS: Final = 10.0
FOUNTAIN_SCALE: Final = 0.75
FOUNTAIN_BASE: Final = 1.125
"""Height in units of a platform of Fountain of Dreams = its event's value * scale + base: measured, fighters on it."""
_LIMIT: Final = 32767
_DAMAGE_STATES: Final = (75, 91)
_SHIELD_STATES: Final = (178, 182)
_NO_STAGE: Final = StageOutline("", 80.0, (-240.0, 240.0, 200.0, -140.0), (), ((-80.0, 0.0), (80.0, 0.0), (0.0, -60.0)))

FLAGS: Final = ("airborne", "invulnerable", "hitlag", "hitstun", "shielding", "right", "cancelled", "missed_cancel")
"""Bits of a player's `flags` column, lowest first."""


def page_data(game: Game, title: str | None = None) -> dict[str, Any]:
    """All the page needs, as plain values for JSON."""
    frames, meta = game.frames, game.meta
    columns = _columns(frames)
    stage = stage_outlines().get(meta.stage, _NO_STAGE)
    return {
        "title": title or _title(game, stage),
        "date": meta.started_at[:10],
        "first_frame": int(frames["frame"][0]),
        "length": len(frames),
        "scale": {"units": UNITS_STEP, "stick": STICK_STEP, "tenths": TENTHS},
        "flags": FLAGS,
        "stage": _stage(stage),
        "players": [_player(game, seat) for seat in range(SEATS)],
        "actions": _action_names(frames),
        "poses": _special_poses(frames),
        "figures": figures(frames),
        "items": item_shapes(frames),
        "losses": stock_losses(game),
        "columns": list(columns),
        "data": _packed(list(columns.values())),
    }


def unpack(data: dict[str, Any]) -> dict[str, NDArray[np.int16]]:
    """Columns by name: what the page's script computes from `page_data`."""
    raw = np.frombuffer(zlib.decompress(base64.b64decode(data["data"])), np.int16)
    table = raw.reshape(len(data["columns"]), data["length"]).cumsum(axis=1, dtype=np.int16)
    return dict(zip(data["columns"], table, strict=True))


def _packed(columns: list[NDArray[np.int16]]) -> str:
    table = np.stack(columns)
    deltas = np.diff(table, axis=1, prepend=np.int16(0))
    return base64.b64encode(zlib.compress(deltas.astype("<i2").tobytes(), 9)).decode()


def _quantised(values: NDArray[Any], step: float = 1.0) -> NDArray[np.int16]:
    scaled = np.nan_to_num(np.asarray(values, np.float64) * step)
    return np.clip(np.rint(scaled), -_LIMIT, _LIMIT).astype(np.int16)


def _columns(frames: NDArray[np.void]) -> dict[str, NDArray[np.int16]]:
    columns: dict[str, NDArray[np.int16]] = {}
    for seat in range(SEATS):
        columns |= _player_columns(f"p{seat}", frames["players"][:, seat, LEADER])
        follower = frames["players"][:, seat, FOLLOWER]
        if (follower["character"] >= 0).any():
            columns |= _player_columns(f"f{seat}", follower)
    columns |= _item_columns(frames["items"])
    return columns | _stage_columns(frames)


def _player_columns(name: str, player: NDArray[np.void]) -> dict[str, NDArray[np.int16]]:
    pad = player["controller"]
    values: dict[str, NDArray[np.int16]] = {
        **{field: _quantised(player[field]) for field in ("character", "action", "stocks", "jumps_left")},
        **{field: _quantised(player[field], UNITS_STEP) for field in ("x", "y")},
        **{field: _quantised(player[field], TENTHS) for field in ("percent", "shield", "state_age")},
        "flags": _flags(player),
        "buttons": _quantised(pad["buttons"] & 0x7FFF),
        **{field: _quantised(pad[field], STICK_STEP) for field in ("stick_x", "stick_y", "c_x", "c_y", "shoulder")},
    }
    return {f"{name}.{field}": column for field, column in values.items()}


def _flags(player: NDArray[np.void]) -> NDArray[np.int16]:
    action = player["action"]
    damaged = (action >= _DAMAGE_STATES[0]) & (action <= _DAMAGE_STATES[1])
    bits = (
        player["airborne"] == 1,
        player["hurtbox"] > 0,
        player["hitlag"] > 0,
        damaged & (player["misc_timer"] > 0),
        (action >= _SHIELD_STATES[0]) & (action <= _SHIELD_STATES[1]),
        player["facing"] > 0,
        player["l_cancel"] == 1,
        player["l_cancel"] == 2,
    )
    return sum((bit.astype(np.int16) << k for k, bit in enumerate(bits)), np.zeros(len(player), np.int16))


def _item_columns(items: NDArray[np.void]) -> dict[str, NDArray[np.int16]]:
    """As many item slots as the game ever used; a slot keeps its item's identity only frame by frame."""
    used = [slot for slot in range(ITEM_SLOTS) if (items["kind"][:, slot] >= 0).any()]
    columns = {}
    for slot in used:
        item = items[:, slot]
        columns[f"i{slot}.kind"] = _quantised(item["kind"])
        columns[f"i{slot}.owner"] = _quantised(item["owner"])
        for axis in ("x", "y"):
            columns[f"i{slot}.{axis}"] = _quantised(np.where(item["kind"] >= 0, item[axis], 0.0), UNITS_STEP)
        columns[f"i{slot}.tilt"] = _quantised(np.degrees(np.arctan2(item["speed_y"], item["speed_x"])))
    return columns


def _stage_columns(frames: NDArray[np.void]) -> dict[str, NDArray[np.int16]]:
    """Whatever of the stage moves in this game."""
    stage = int(frames["stage"][0])
    if stage == Stage.FOUNTAIN_OF_DREAMS and np.isfinite(frames["fod_left"]).any():
        heights = {name: frames[name] * FOUNTAIN_SCALE + FOUNTAIN_BASE for name in ("fod_left", "fod_right")}
        return {name: _quantised(height, UNITS_STEP) for name, height in heights.items()}
    if stage == Stage.YOSHIS_STORY:
        cloud = np.array([melee_stages.randall_position(int(frame)) for frame in frames["frame"]])
        return {f"cloud_{name}": _quantised(cloud[:, k], UNITS_STEP) for k, name in enumerate(("y", "left", "right"))}
    return {}


def _stage(stage: StageOutline) -> dict[str, Any]:
    return {
        "name": words(stage.name),
        "blast": stage.blast,
        "platforms": stage.platforms,
        "outline": stage.outline,
        "edge_x": stage.edge_x,
    }


def _player(game: Game, seat: int) -> dict[str, Any]:
    meta = game.meta.seats[seat]
    final = game.frames["players"][-1, seat, LEADER]
    return {
        "character": character_title(meta.character),
        "name": meta.name or meta.code,
        "port": meta.port,
        "stocks": max(meta.stocks, int(final["stocks"])),
        "won": _winner(game) == seat,
    }


def _winner(game: Game) -> int:
    """Winning seat, -1 for a draw or an unfinished game: placements if recorded, else stocks left."""
    placements = [seat.placement for seat in game.meta.seats]
    if 0 in placements:
        return placements.index(0)
    stocks = game.frames["players"]["stocks"][-1, :, LEADER]
    if stocks.min() > 0 or stocks[0] == stocks[1]:
        return -1
    return int(stocks.argmax())


def _title(game: Game, stage: StageOutline) -> str:
    fighters = " vs ".join(character_title(seat.character) for seat in game.meta.seats)
    return f"{fighters} · {words(stage.name)}" if stage.name else fighters


def _pairs(frames: NDArray[np.void]) -> list[tuple[int, int]]:
    """(character, action state) as they occur, each once."""
    players = frames["players"]
    present = players["character"] >= 0
    pairs = np.unique(np.stack([players["character"][present], players["action"][present]], axis=1), axis=0)
    return [(int(character), int(action)) for character, action in pairs]


def _action_names(frames: NDArray[np.void]) -> dict[str, str]:
    """Names of the action states that occur, by `character:action`."""
    return {f"{character}:{action}": action_title(action, character) for character, action in _pairs(frames)}


def _special_poses(frames: NDArray[np.void]) -> dict[str, str]:
    """Poses of the specials that occur and have one of their own, by `character:action`."""
    poses = {f"{character}:{action}": special_pose(action, character) for character, action in _pairs(frames)}
    return {state: pose for state, pose in poses.items() if pose is not None}
