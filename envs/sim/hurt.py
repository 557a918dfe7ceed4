"""What of a character can be hit: hurt capsules by stance, the shield bubble, how a launched body lies.

`compile_hurt` fills the table that contact reads: one capsule per action state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.combat_layout import CHARACTER_COMBAT, FIRST_FLY

_DEFAULT_STANCE = "stand"


class BadHurtFacts(ValueError):
    """A stance is named that has no capsule; the message names file and stance."""


def compile_hurt(character: str, combat: NDArray[np.void]) -> None:
    """Fill hurt capsules, shield bubble and `face_up` of a CHARACTER_COMBAT record. Raises BadHurtFacts."""
    assert combat.dtype == CHARACTER_COMBAT
    name = f"characters/{character}_hurt"
    known = facts.load(name)
    stances = known["stances"]
    combat["hurt"] = _capsule(stances[_DEFAULT_STANCE])
    for stance, ranges in known["actions"].items():
        if stance not in stances:
            raise BadHurtFacts(f"facts/{name}.toml: [actions] names the stance {stance}, which [stances] lacks")
        for first, last in ranges:
            combat["hurt"][first : last + 1] = _capsule(stances[stance])
    combat["hurt_reach"] = max(_reach(stance) for stance in stances.values())
    for key, value in known["shield"].items():
        combat[f"shield_{key}"] = value
    combat["lift_age"] = known["lift"]["age"]
    combat["lift_end"] = known["lift"]["end"]
    for action, age in known["face_up"].items():
        combat["face_up"][Action[action].value - FIRST_FLY] = age


def _capsule(stance: dict[str, float]) -> tuple[float, ...]:
    return tuple(stance[key] for key in ("x0", "y0", "x1", "y1", "radius"))


def _reach(stance: dict[str, Any]) -> float:
    ends = ((stance["x0"], stance["y0"]), (stance["x1"], stance["y1"]))
    return float(max(np.hypot(x, y) for x, y in ends) + stance["radius"])
