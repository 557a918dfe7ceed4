"""Grabs and throws of a character: facts (TOML) joined with libmelee's grab boxes into one HOLD record.

`load_holds` gives what the state table needs (lengths); `compile_holds` gives what the kernels of grabs and
throws need.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.framedata import animations
from envs.sim.hold_layout import GRAB_BOXES, GRIP_AGES, HOLD

THROW_STATES: Final = ("THROW_FORWARD", "THROW_BACK", "THROW_UP", "THROW_DOWN")
GRIP_STATES: Final = ("GRAB_PULLING", "GRAB_RUNNING_PULLING", "GRAB_WAIT", "GRAB_PUMMEL")
GRAB_STATES: Final = (Action.GRAB.value, Action.GRAB_RUNNING.value)
_PATTERN: Final = "fox"
"""Whose lengths of missing and of being held stand for a character without the file."""
FIRST_THROW_ID: Final = 53
"""Slippi's attack id of a forward throw; back, up and down follow."""

_BOX_NUMBERS: Final = {
    "damage": "damage",
    "angle": "angle",
    "growth": "growth",
    "base": "base_knockback",
    "set": "set_knockback",
}
Rows = list[list[float]]


class BadHoldFacts(ValueError):
    """A character's throws overflow a table or lack a grab box; the message names file and table."""


@dataclass(frozen=True)
class HoldFacts:
    """Facts of one character's grabs and throws, as its TOML has them, and the state lengths among them."""

    file: str
    tables: dict[str, Any]
    lengths: dict[str, float]
    catches: bool
    """False for a character without the file: its grabs all miss, held by others it moves as Fox does."""


def load_holds(name: str) -> HoldFacts:
    """Grabs and throws of `facts/<name>.toml`."""
    catches = facts.exists(name)
    tables = facts.load(name if catches else f"characters/{_PATTERN}_throws")
    lengths = tables["lengths"] | {state: tables[state]["length"] for state in THROW_STATES}
    return HoldFacts(f"facts/{name}.toml", tables, lengths, catches)


def compile_holds(holds: HoldFacts, character: int, out: NDArray[np.void]) -> None:
    """Fill a HOLD record of a character by internal id. Raises BadHoldFacts."""
    assert out.dtype == HOLD
    if not holds.catches:
        return
    tables = holds.tables
    _fill_grabs(holds, character, out)
    out["pulled"] = tables["grab"]["pulled"]
    out["pummel_age"], out["pummel_damage"] = tables["pummel"]["age"], tables["pummel"]["damage"]
    out["thrown"], out["hang"] = tables["held"]["thrown"], tables["held"]["hang"]
    for slot, state in enumerate(GRIP_STATES):
        for age, x, y in tables["grip"][state]:
            out["grip"][slot, min(int(age), GRIP_AGES - 1) :] = (x, y)
    ends = {"points": 0, "throw_hits": 0, "shots": 0}
    if "SEIZURE" in tables:
        _fill_seizure(holds, character, ends, out)
    for slot, state in enumerate(THROW_STATES):
        _fill_throw(holds, tables[state], slot, ends, out)


def _fill_grabs(holds: HoldFacts, character: int, out: NDArray[np.void]) -> None:
    windows = (holds.tables["grab"]["standing"], holds.tables["grab"]["running"])
    for action, window, grab in zip(GRAB_STATES, windows, out["grabs"], strict=True):
        _fill_grab(holds, character, action, window, grab)


def _fill_grab(holds: HoldFacts, character: int, action: int, window: list[float], grab: NDArray[np.void]) -> None:
    first, last = window
    frame = animations(character).get(action, {}).get(int(first))
    boxes = [box for box in frame.boxes if box is not None and box.size > 0] if frame is not None else []
    if not boxes or len(boxes) > GRAB_BOXES:
        raise BadHoldFacts(f"{holds.file}: libmelee has {len(boxes)} grab boxes on frame {first} of state {action}")
    grab["first"], grab["last"], grab["used"] = first, last, len(boxes)
    for name in ("x", "y", "size"):
        grab[name][: len(boxes)] = [getattr(box, name) for box in boxes]


def _fill_seizure(holds: HoldFacts, character: int, ends: dict[str, int], out: NDArray[np.void]) -> None:
    """The special that seizes: both its states reach as the first does."""
    known, seizure = holds.tables["SEIZURE"], out["seizure"]
    for name in ("actions", "release", "damage", "attack_id"):
        seizure[name] = known[name]
    _fill_grab(holds, character, int(known["actions"][0]), known["grab"], seizure["grab"])
    seizure["path"] = _store(holds, "points", known["path"], ends, out)


def _fill_throw(
    holds: HoldFacts, known: dict[str, Any], slot: int, ends: dict[str, int], out: NDArray[np.void]
) -> None:
    throw = out["throws"][slot]
    throw["release"], throw["weighted"] = known["release"], known.get("weighted", True)
    throw["shot_damage"] = known.get("shot_damage", 0.0)
    throw["turns"], throw["attack_id"] = known.get("turns", False), FIRST_THROW_ID + slot
    for key, field in _BOX_NUMBERS.items():
        throw["box"][field] = known.get(key, 0.0)
    throw["path"] = _store(holds, "points", known["path"], ends, out)
    throw["root"] = _store(holds, "points", [[age, x, 0.0] for age, x in known.get("root", ())], ends, out)
    throw["hits"] = _store(holds, "throw_hits", known.get("hits", []), ends, out)
    throw["shots"] = _store(holds, "shots", known.get("shots", []), ends, out)


def _store(holds: HoldFacts, table: str, rows: Rows, ends: dict[str, int], out: NDArray[np.void]) -> tuple[int, int]:
    """Append rows to a table of the record; returns their first row and end."""
    first, end = ends[table], ends[table] + len(rows)
    if end > len(out[table]):
        raise BadHoldFacts(f"{holds.file}: more than {len(out[table])} rows of {table}")
    for row, values in enumerate(rows, start=first):
        out[table][row] = tuple(values)
    ends[table] = end
    return first, end
