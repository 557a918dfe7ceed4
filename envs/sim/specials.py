"""Specials of a character: facts (TOML) into state rows and lists of operations that one interpreter runs.

A special is data: each action state has a short list of operations with the ages they hold for. The
interpreter is envs.sim.kernel.script; nothing there knows a character.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.game import Button
from envs.sim import facts
from envs.sim.combat_layout import CHARACTER_COMBAT, MAX_OPERATIONS
from envs.sim.projectiles import compile_projectiles, projectile_rows
from envs.sim.states import Flag, Kind, Physics, StateRow


class Op(IntEnum):
    """What an operation does; `a`, `b` and `target` are its numbers and the action state it leads to."""

    SCALE = 1  # on entry: horizontal speed times a, vertical speed times b
    BRAKE = 2  # horizontal friction a
    TRACTION = 3  # the character's own friction on the ground
    SINK = 4  # gravity a, after b frames of this operation
    DRIFT = 5  # ordinary steering, gravity and fast fall in the air
    SPEED = 6  # speed is a along the facing, b upwards
    THRUST = 7  # speed along the aim is a, less b for each age from `first` on
    REFLECT = 8  # projectiles are thrown back by a bubble of radius a around the height b, which leads to target
    SHOOT = 9  # fire the named item from a ahead and b up
    LAG = 10  # a special fall that follows lands with a frames of lag and allows the share b of the top speed, 0 all
    JUMP = 11  # may jump
    REVERSE = 12  # the stick held back by a turns the fighter round, into target
    RELEASE = 13  # from frame a of the special on, B let go (see LET_GO) leads to target
    SHORTEN = 14  # pressing B leads to target
    REPEAT = 15  # pressing B makes target follow instead of the next state
    AIM = 16  # at the end: aim along the stick, into target in the air, into state a on the ground
    LAND = 17  # touching the ground leads to target; a = 1 keeps the age, b is a landing lag
    FALL = 18  # leaving the ground leads to target; a = 1 keeps the age
    PRESS = 19  # pressing one of the named buttons leads to target
    ROLL = 20  # may roll as out of a shield
    CHARGE = 21  # stores a level every a frames; with b levels stored goes on to target at the same age
    CHARGED = 22  # at the end: with a levels stored, target follows instead of the next state
    RECOIL = 23  # horizontal speed a on the ground, b in the air for every stored level
    LIFT = 24  # on entry: vertical speed a the first time since an ordinary landing
    FREEZE = 25  # the animation stands still; the state ends after a frames
    POINT = 26  # as AIM, but the aim keeps the stick's length, and a stick within b is straight up
    WARP = 27  # on entry: speed along the aim is a and b for its length
    DECAY = 28  # vertical speed loses the share a
    CLAMP = 29  # horizontal speed of at most a
    SPIN_BACK = 30  # projectiles are turned round and stay their maker's
    BUMP = 31  # flying into a wall or ceiling by more than b (sine of the angle) leads to target with a of the speed
    # a sword's specials
    GRAVITY = 40  # gravity a, down to the falling speed b
    STOP_FALL = 41  # on entry: a fall stops, a rise goes on
    FLOAT = 42  # on entry: vertical speed a the first time since an ordinary landing, then b
    REFRESH = 43  # touching the ground counts as an ordinary landing
    STRIDE = 44  # sideways speed is the animation's own displacement
    SOAR = 45  # speed is the animation's own displacement, turned by up to a degrees; see TILT
    TILT = 46  # the farthest that the stick is held to a side turns SOAR, from the share a on
    FACE = 47  # face the stick if it is farther out than a
    TAKE_OFF = 48  # leave the ground and stay in this state
    STEER = 49  # steering in the air with the share a of its strength and top speed, without the fixed part
    CHAIN = 50  # pressing A or B leads to target with the stick up, state a with it down, else b; not if pressed before
    HOLD = 51  # every frame charges; after more than a of them leads to target
    STANCE = 52  # a hit within the radius a around the height b is countered by target
    # a reflector's and a body rocket's
    LET_GO = 60  # notes that B is not held; at the end, from frame a of the special on, target follows then
    DROP = 61  # a tapped-down stick drops through the platform, into target at the same age
    SKID = 62  # touching the ground at less than a degrees stops only the fall, not the state
    OPEN_LANDING = 63  # the landing of a special fall that follows may be interrupted


ALWAYS: Final = 1e6
_FLAGS: Final = {"ledge_grab": Flag.LEDGE_GRAB, "ledge_behind": Flag.LEDGE_BEHIND, "stays": Flag.STAYS}
DIRECTIONS: Final = ("neutral", "side", "up", "down")
NO_SPECIAL: Final = 0
"""First state of a special that a character lacks."""


class BadSpecialFacts(ValueError):
    """A special's facts name an unknown operation or state; the message names file and table."""


@dataclass(frozen=True)
class Special:
    """One action state of a special: its row of the state table and what the table lacks."""

    action: int
    row: StateRow
    length: int
    intangible: tuple[int, int]
    feet: tuple[tuple[float, float], ...]
    path: tuple[tuple[float, float], ...]  # the animation's own displacement by age; empty for libmelee's
    operations: tuple[tuple[int, float, float, float, float, int, int], ...]

    @property
    def is_animated(self) -> bool:
        """Whether the animation's own displacement is its speed."""
        return any(operation[0] in (Op.STRIDE, Op.SOAR) for operation in self.operations)


def load_specials(character: str) -> tuple[tuple[Special, ...], dict[str, list[int]]]:
    """States of `facts/characters/<character>_specials.toml` and the first states by direction.

    Raises BadSpecialFacts. A character without the file has no specials yet: B does nothing.
    """
    name = f"characters/{character}_specials"
    known = _known(name)
    starts = {way: [NO_SPECIAL, NO_SPECIAL] for way in DIRECTIONS} | known.pop("starts", {})
    items = projectile_rows(known.pop("projectile", {}))
    specials = tuple(_special(f"facts/{name}.toml: [{table}]", values, items) for table, values in known.items())
    _check_targets(name, specials, starts)
    return specials, starts


def _known(name: str) -> dict[str, Any]:
    return facts.load(name) if facts.exists(name) else {}


def _special(where: str, values: dict[str, Any], items: dict[str, int]) -> Special:
    flags = Flag.AIRBORNE if values.get("airborne") else 0
    for key, flag in _FLAGS.items():
        if values.get(key):
            flags |= flag
    row = StateRow(
        Physics.SCRIPT, Kind.SPECIAL, 0, flags, float(values.get("age_start", 0)), int(values.get("next", -1))
    )
    first, last = values.get("intangible", (1, 0))
    operations = tuple(_operation(where, operation, items) for operation in values["operations"])
    feet = tuple((float(age), float(height)) for age, height in values.get("feet", ()))
    path = tuple((float(x), float(y)) for x, y in values.get("path", ()))
    return Special(int(values["action"]), row, int(values["length"]), (first, last), feet, path, operations)


def _operation(
    where: str, values: dict[str, Any], items: dict[str, int]
) -> tuple[int, float, float, float, float, int, int]:
    name = values["op"]
    if name not in Op.__members__:
        raise BadSpecialFacts(f"{where} names the operation {name!r}; known: {', '.join(Op.__members__)}")
    item = values.get("item")
    if item is not None and item not in items:
        raise BadSpecialFacts(f"{where} fires {item!r}; [projectile] has {', '.join(items)}")
    number = [
        float(values.get(key, default)) for key, default in (("first", 0.0), ("last", ALWAYS), ("a", 0.0), ("b", 0.0))
    ]
    mask = items[item] if item is not None else sum(int(Button[button]) for button in values.get("buttons", ()))
    return (int(Op[name]), number[0], number[1], number[2], number[3], int(values.get("target", -1)), mask)


def _check_targets(name: str, specials: tuple[Special, ...], starts: dict[str, list[int]]) -> None:
    known = {special.action for special in specials}
    for direction in DIRECTIONS:
        if not set(starts[direction]) <= known | {NO_SPECIAL}:
            raise BadSpecialFacts(f"facts/{name}.toml: [starts] {direction} names a state that has no table")
    first_special = min(known, default=0)
    for special in specials:
        for target in (special.row.next, *_targets(special)):
            if target >= first_special and target not in known:
                raise BadSpecialFacts(
                    f"facts/{name}.toml: state {special.action} leads to {target}, which has no table"
                )


def _targets(special: Special) -> list[int]:
    """Action states that the operations of a state lead to."""
    targets = [operation[5] for operation in special.operations]
    return targets + [int(state) for op in special.operations if op[0] == Op.CHAIN for state in op[3:5]]


def compile_items(character: str, combat: NDArray[np.void]) -> None:
    """Fill `projectiles` of a CHARACTER_COMBAT record. Raises BadProjectileFacts."""
    name = f"characters/{character}_specials"
    compile_projectiles(f"facts/{name}.toml", _known(name).get("projectile", {}), combat)


def compile_operations(specials: tuple[Special, ...], combat: NDArray[np.void]) -> None:
    """Fill `operations` and their ranges by action state of a CHARACTER_COMBAT record. Raises BadSpecialFacts."""
    assert combat.dtype == CHARACTER_COMBAT
    row = 0
    for special in specials:
        last = row + len(special.operations)
        if last > MAX_OPERATIONS:
            raise BadSpecialFacts(f"more than {MAX_OPERATIONS} operations")
        for slot, operation in enumerate(special.operations, start=row):
            combat["operations"][slot] = operation
        combat["script_first"][special.action] = row
        combat["script_last"][special.action] = last
        row = last
