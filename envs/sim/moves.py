"""Moves of a character: facts (TOML) joined with libmelee's hitbox positions into flat rows.

`load_moves` gives what the state table needs (lengths, interruptibility, landing lag); `compile_moves`
gives what contact and damage need: one row of four hitboxes per active frame of each move.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.combat_layout import (
    BOXES,
    CHARACTER_COMBAT,
    LINKED,
    LINKED_TO_SELF,
    MAX_HIT_FRAMES,
    MAX_MOVES,
    TOUCHES_AIR,
    TOUCHES_GROUND,
    UNLINKED,
)
from envs.sim.framedata import Animations, HitboxAt, animations

TOUCHES: Final = {"ground": TOUCHES_GROUND, "air": TOUCHES_AIR, "both": TOUCHES_GROUND | TOUCHES_AIR}

FIRST_SPECIAL: Final = 341
"""Action states from here on are a character's own."""
NO_BOX: Final = -1
"""Written for a column of libmelee that holds no hitbox in a window."""


class Element(IntEnum):
    """What a hitbox is made of; only electricity changes a rule (longer hitlag for the victim)."""

    NORMAL = 0
    FIRE = 1
    ELECTRIC = 2
    SLASH = 3
    DARKNESS = 4
    EMPTY = 5
    SLEEP = 6
    ICE = 7


class Clank(IntEnum):
    """What a move does that meets another move's hitbox."""

    NONE = 0  # passes through
    HOLDS = 1  # is spent but goes on
    REBOUNDS = 2  # is spent and ends


class BadMoveFacts(ValueError):
    """A move's facts contradict each other or the frame data; the message names move and key."""


@dataclass(frozen=True)
class BoxFacts:
    """What one kind of hitbox does; percent, degrees, knockback terms of the knockback formula."""

    damage: float
    angle: float
    growth: float
    base: float = 0.0
    set: float = 0.0
    shield: float = 0.0
    element: str = "normal"
    touches: str = "both"


@dataclass(frozen=True)
class Window:
    """Frames [first, last] in which libmelee's hitbox columns act as the given rows of `MoveFacts.boxes`, or NO_BOX."""

    first: int
    last: int
    columns: tuple[int, ...]


@dataclass(frozen=True)
class MoveFacts:
    """One move of one character; frames count from 1 as the recorded animation age does."""

    name: str
    action: int
    length: int
    attack_id: int = 0
    iasa: int = 0
    charge_frame: int = 0
    charge_step: int = 0  # frames of charge that add `charge_gain` percent to a special
    charge_gain: float = 0.0
    follow_up: int = 0  # first age at which a jab goes on to the next
    landing: int = -1
    landing_lag: int = 0
    autocancel: tuple[int, int] = (0, 0)  # ages before the first and from the second on land without lag
    position: HitboxAt | None = None
    paths: tuple[tuple[HitboxAt, ...], ...] = ()  # by frame of `hits` and column
    like: int = -1  # action state whose positions in libmelee it has, -1 its own
    sweeps: bool = False
    clank: str = ""  # name of a Clank; left out, a special passes through and any other move rebounds
    hits: tuple[Window, ...] = ()
    boxes: tuple[BoxFacts, ...] = ()


def load_moves(character: str) -> tuple[MoveFacts, ...]:
    """Moves of `facts/characters/<character>_moves.toml`. Raises BadMoveFacts."""
    table = facts.load(f"characters/{character}_moves")
    return tuple(_move(name, values) for name, values in table.items())


def _move(name: str, values: dict[str, Any]) -> MoveFacts:
    known = dict(values)
    action = known.pop("action_id", None)
    if action is None:
        action = Action[known.pop("action")].value
    if "landing" in known:
        known["landing"] = Action[known["landing"]].value
    if "autocancel" in known:
        known["autocancel"] = tuple(known["autocancel"])
    if "position" in known:
        known["position"] = HitboxAt(**known["position"])
    known["paths"] = tuple(tuple(HitboxAt(*place) for place in frame) for frame in known.get("paths", ()))
    known["boxes"] = tuple(BoxFacts(**box) for box in known.get("boxes", ()))
    known["hits"] = tuple(Window(first, last, tuple(rows)) for first, last, *rows in known.get("hits", ()))
    move = MoveFacts(name=name, action=action, **known)
    _check(move)
    return move


def _check(move: MoveFacts) -> None:
    for window in move.hits:
        if not 1 <= window.first <= window.last <= move.length:
            raise BadMoveFacts(f"move {move.name}: hits {window.first}..{window.last} lie outside 1..{move.length}")
        if max(window.columns) >= len(move.boxes) or len(window.columns) > BOXES:
            raise BadMoveFacts(f"move {move.name}: hits name a box that `boxes` lacks: {window.columns}")
    if move.hits and not move.attack_id:
        raise BadMoveFacts(f"move {move.name}: it hits but has no attack_id")


def compile_moves(moves: tuple[MoveFacts, ...], character: int, combat: NDArray[np.void]) -> dict[int, int]:
    """Fill `moves` and `hit_frames` of a CHARACTER_COMBAT record; returns action state -> row of `moves`.

    `character` is the internal id. Raises BadMoveFacts if a hitbox has no position or the tables overflow.
    """
    assert combat.dtype == CHARACTER_COMBAT
    table = animations(character)
    hitting = [move for move in moves if move.hits]
    if len(hitting) > MAX_MOVES:
        raise BadMoveFacts(f"{len(hitting)} moves, the table holds {MAX_MOVES}")
    rows: dict[int, int] = {}
    next_row = 0
    combat["moves"]["action"] = -1
    for index, move in enumerate(hitting):
        next_row = _compile_move(move, table, combat, index, next_row)
        rows[move.action] = index
    return rows


def _compile_move(move: MoveFacts, table: Animations, combat: NDArray[np.void], index: int, row: int) -> int:
    first, last = move.hits[0].first, move.hits[-1].last
    if row + last - first + 1 > MAX_HIT_FRAMES:
        raise BadMoveFacts(f"move {move.name}: the table of hit frames is full ({MAX_HIT_FRAMES})")
    entry = combat["moves"][index]
    entry["action"], entry["attack_id"], entry["charge_frame"] = move.action, move.attack_id, move.charge_frame
    entry["charge_step"], entry["charge_gain"] = move.charge_step, move.charge_gain
    clank = move.clank or ("NONE" if move.action >= FIRST_SPECIAL else "REBOUNDS")
    entry["clank"] = Clank[clank.upper()]
    entry["first_frame"], entry["last_frame"], entry["row"] = first, last, row
    frames = combat["hit_frames"][row : row + last - first + 1]
    group = 0
    for before, window in zip((None, *move.hits), move.hits, strict=False):
        if before is not None and window.first > before.last + 1:
            group += 1
        for frame in range(window.first, window.last + 1):
            fresh = frame == window.first and (before is None or window.first > before.last + 1)
            _fill_frame(frames[frame - first], move, window, table, frame, group, fresh)
    entry["reach"] = _reach(frames)
    return row + last - first + 1


def _fill_frame(
    boxes: NDArray[np.void], move: MoveFacts, window: Window, table: Animations, frame: int, group: int, fresh: bool
) -> None:
    for column, kind in enumerate(window.columns):
        if kind == NO_BOX:
            continue
        place = _position(move, table, frame, column)
        facts_of = move.boxes[kind]
        box = boxes[column]
        box["active"], box["group"] = 1, 1 << group
        box["linked"] = LINKED_TO_SELF if move.sweeps else (UNLINKED if fresh else LINKED)
        box["x"], box["y"], box["size"] = place.x, place.y, place.size
        box["damage"], box["angle"], box["growth"] = facts_of.damage, facts_of.angle, facts_of.growth
        box["base_knockback"], box["set_knockback"] = facts_of.base, facts_of.set
        box["shield_damage"] = facts_of.shield
        box["element"] = Element[facts_of.element.upper()]
        box["touches"] = TOUCHES[facts_of.touches]


def _position(move: MoveFacts, table: Animations, frame: int, column: int) -> HitboxAt:
    if move.position is not None:
        return move.position
    if move.paths:
        return move.paths[frame - move.hits[0].first][column]
    at = table.get(move.action if move.like < 0 else move.like, {}).get(frame)
    place = at.boxes[column] if at is not None else None
    if place is None:
        raise BadMoveFacts(f"move {move.name}: libmelee has no hitbox {column + 1} on frame {frame}")
    return place


def _reach(frames: NDArray[np.void]) -> float:
    active = frames[frames["active"] == 1]
    return float(np.max(np.hypot(active["x"], active["y"]) + active["size"]))
