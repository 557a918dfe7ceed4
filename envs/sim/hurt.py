"""What of a character can be hit: hurt capsules by stance, the shield bubble, how a launched body lies.

`compile_hurt` fills the table that contact reads: HURT_PARTS capsules per action state.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.sim import facts
from envs.sim.combat_layout import CAPSULE, CHARACTER_COMBAT, FIRST_FLY, HURT_PARTS

_DEFAULT_STANCE = "stand"


class BadHurtFacts(ValueError):
    """A stance is named that has no capsule; the message names file and stance."""


def compile_hurt(character: str, combat: NDArray[np.void]) -> None:
    """Fill hurt capsules, shield bubble and `face_up` of a CHARACTER_COMBAT record. Raises BadHurtFacts."""
    assert combat.dtype == CHARACTER_COMBAT
    name = f"characters/{character}_hurt"
    known = facts.load(name)
    stances = known["stances"]
    combat["hurt"] = _parts(stances[_DEFAULT_STANCE])
    for stance, ranges in known["actions"].items():
        if stance not in stances:
            raise BadHurtFacts(f"facts/{name}.toml: [actions] names the stance {stance}, which [stances] lacks")
        for first, last in ranges:
            combat["hurt"][first : last + 1] = _parts(stances[stance])
    combat["hurt_reach"] = max(_reach(part) for stance in stances.values() for part in _listed(stance))
    for key, value in known["shield"].items():
        combat[f"shield_{key}"] = value
    combat["lift_age"] = known["lift"]["age"]
    combat["lift_end"] = known["lift"]["end"]
    for action, age in known["face_up"].items():
        combat["face_up"][Action[action].value - FIRST_FLY] = age


def _listed(stance: Any) -> list[dict[str, float]]:
    """Parts of a stance; one that is a single table has one part."""
    return stance if isinstance(stance, list) else [stance]


def _parts(stance: Any) -> NDArray[np.void]:
    """HURT_PARTS CAPSULEs of a stance; the last one is repeated where it has fewer."""
    parts = _listed(stance)
    capsules = [tuple(part[key] for key in ("x0", "y0", "x1", "y1", "radius")) for part in parts]
    return np.array(capsules + capsules[-1:] * (HURT_PARTS - len(parts)), CAPSULE)


def _reach(part: dict[str, float]) -> float:
    ends = ((part["x0"], part["y0"]), (part["x1"], part["y1"]))
    return float(max(np.hypot(x, y) for x, y in ends) + part["radius"])
