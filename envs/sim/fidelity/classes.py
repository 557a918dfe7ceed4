"""Classes of predictions: by the action state that the fighter is in at the frame predicted from.

Every action state belongs to exactly one class. docs/fidelity.md says the same in words.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

CLASSES: Final = (
    "movement",
    "attack",
    "roll_tech_ledge",
    "specials_throws",
    "shield",
    "damage",
    "other",
)
ALL: Final = "all"
"""Name of the class of every row."""
OTHER: Final = CLASSES.index("other")

_RANGES: Final[dict[str, tuple[tuple[int, int], ...]]] = {
    # standing, walking, dashing, running, jumping, falling, helpless fall; crouching and landing; aerials and
    # their landings; air dodge; platform drop, teetering, stopped by a wall, a ceiling or the edge
    "movement": ((14, 37), (39, 43), (65, 74), (236, 236), (244, 246), (249, 251)),
    # jabs, tilts, smashes, dash attack; rebounding off another attack
    "attack": ((44, 64), (237, 238)),
    # down, lying, getting up; techs on floor, wall and ceiling, wall jump; rolls and spot dodge; the ledge
    "roll_tech_ledge": ((183, 204), (233, 235), (252, 263)),
    # grabbing, holding, throwing; being held, thrown or carried; every character's own states
    "specials_throws": ((212, 232), (239, 243), (266, 321), (341, 1 << 16)),
    # raised, hit, let go, broken and dazed
    "shield": ((178, 182), (205, 211)),
    # tumbling, struck, thrown off a wall or ceiling by the launch
    "damage": ((38, 38), (75, 91), (247, 248)),
}
"""First and last id of the action states of each class; what is left is `other`: dead, respawning, entering,
taunting, holding items."""


def classify(actions: NDArray[np.int32]) -> NDArray[np.int8]:
    """Row of CLASSES of each action state."""
    classes = np.full(len(actions), OTHER, np.int8)
    for name, ranges in _RANGES.items():
        for first, last in ranges:
            classes[(actions >= first) & (actions <= last)] = CLASSES.index(name)
    return classes
