"""What of a character can be hit: bodies by animation frame or stance, the shield bubble, how a launched body lies.

`compile_hurt` fills the tables that contact reads: HURT_PARTS capsules for each frame of an action state. A state
whose animation is not among the character's poses (`<character>_poses.csv`) keeps one stance from
`<character>_hurt.toml` throughout.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.combat_layout import CAPSULE, CHARACTER_COMBAT, FIRST_FLY, HURT_PARTS, MAX_HURT_FRAMES

_DEFAULT_STANCE = "stand"


class BadHurtFacts(ValueError):
    """A stance is named that has no capsule, or there are too many frames; the message names file and stance."""


def compile_hurt(character: str, combat: NDArray[np.void]) -> None:
    """Fill poses, shield bubble and `face_up` of a CHARACTER_COMBAT record. Raises BadHurtFacts."""
    assert combat.dtype == CHARACTER_COMBAT
    name = f"characters/{character}_hurt"
    known = facts.load(name)
    used = _compile_stances(name, known, combat)
    if "poses" in known:
        used = _compile_poses(character, known["poses"]["margin"], combat, used)
    parts = combat["hurt_frames"][:used]
    ends = np.maximum(np.hypot(parts["x0"], parts["y0"]), np.hypot(parts["x1"], parts["y1"]))
    combat["hurt_reach"] = np.max(ends + parts["radius"])
    for key, value in known["shield"].items():
        combat[f"shield_{key}"] = value
    combat["lift_age"] = known["lift"]["age"]
    combat["lift_end"] = known["lift"]["end"]
    for action, age in known["face_up"].items():
        combat["face_up"][Action[action].value - FIRST_FLY] = age


def _compile_stances(name: str, known: dict[str, Any], combat: NDArray[np.void]) -> int:
    """A row of `hurt_frames` for each stance, and every action state in its stance; returns the rows used."""
    rows = {stance: row for row, stance in enumerate(known["stances"])}
    for stance, parts in known["stances"].items():
        combat["hurt_frames"][rows[stance]] = _parts(parts)
    poses = combat["poses"]
    poses["row"], poses["frames"], poses["loops"] = rows[_DEFAULT_STANCE], 1, 0
    for stance, ranges in known["actions"].items():
        if stance not in rows:
            raise BadHurtFacts(f"facts/{name}.toml: [actions] names the stance {stance}, which [stances] lacks")
        for first, last in ranges:
            poses["row"][first : last + 1] = rows[stance]
    return len(rows)


def _compile_poses(character: str, margin: float, combat: NDArray[np.void], row: int) -> int:
    """Rows from `row` on for the animations of a character; returns the rows used in all."""
    shared = facts.load("poses")
    table = np.array(facts.rows(f"characters/{character}_poses"))
    poses = combat["poses"]
    for action in np.unique(table[:, 0]).astype(int):
        frames = _between_keys(table[table[:, 0] == action, 1:])
        if row + len(frames) > MAX_HURT_FRAMES:
            raise BadHurtFacts(f"facts/characters/{character}_poses.csv: more than {MAX_HURT_FRAMES} frames")
        poses[action] = row, len(frames), action in shared["loops"]["states"]
        for key, values in zip(CAPSULE.names or (), np.moveaxis(frames, -1, 0), strict=True):
            combat["hurt_frames"][key][row : row + len(frames)] = values + (margin if key == "radius" else 0.0)
        row += len(frames)
    for action, first, last in shared["shared"]["states"]:
        poses[first : last + 1] = poses[action]
    return row


def _between_keys(keys: NDArray[np.float64]) -> NDArray[np.float64]:
    """Capsules [frames, HURT_PARTS, 5] of an animation from rows of frame and capsules, on lines between them."""
    at = keys[:, 0]
    frames = np.arange(at[-1] + 1)
    columns = [np.interp(frames, at, column) for column in keys[:, 1:].T]
    return np.stack(columns, axis=-1).reshape(len(frames), HURT_PARTS, -1)


def _parts(stance: Any) -> NDArray[np.void]:
    """HURT_PARTS CAPSULEs of a stance, given as one table or several; the last is repeated where it has fewer."""
    parts = stance if isinstance(stance, list) else [stance]
    capsules = [tuple(part[key] for key in CAPSULE.names or ()) for part in parts]
    return np.array(capsules + capsules[-1:] * (HURT_PARTS - len(parts)), CAPSULE)
