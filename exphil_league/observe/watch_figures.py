"""How the replay page draws characters and what they make: heights, swords, poses of specials, shapes of items."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.game import character_name

MID_SIZED_UNITS: Final = 15.0
_HEIGHTS: Final = {
    "FOX": 13.5,
    "FALCO": 14.0,
    "MARTH": 17.5,
    "MEWTWO": 18.5,
    "CPTFALCON": 18.0,
    "GANONDORF": 19.0,
    "BOWSER": 19.0,
    "PIKACHU": 9.0,
    "PICHU": 8.0,
    "KIRBY": 9.0,
    "JIGGLYPUFF": 9.0,
    "GAMEANDWATCH": 13.0,
}
"""Units from feet to head, about; others are mid-sized."""
_SWORDS: Final = ("MARTH", "ROY", "LINK", "YLINK")

_SPACE_ANIMAL: Final = ((341, "jab"), (347, "dash"), (353, "special"))
_SPECIALS: Final = {
    "FOX": _SPACE_ANIMAL,
    "FALCO": _SPACE_ANIMAL,
    "MARTH": ((341, "fsmash"), (349, "ftilt"), (367, "usmash"), (369, "shield")),
    "MEWTWO": ((341, "special"), (351, "jab"), (353, "vanish"), (359, "hold")),
    "CPTFALCON": ((347, "fsmash"), (349, "dashattack"), (353, "usmash"), (357, "dashattack")),
}
"""First action state and pose (html/watch_figure.js) of each special; others get the pose of specials at large."""


class Shape(NamedTuple):
    """How an item is drawn: a streak along its flight, a ball or a ring, and its half length or radius in units."""

    shape: str
    size: float


_ITEMS: Final = {54: Shape("streak", 5.0), 55: Shape("streak", 5.0), 110: Shape("ring", 2.5), 112: Shape("ball", 3.5)}
"""By Slippi's item id: the lasers of Fox and Falco, Disable, Shadow Ball."""
_ANY_ITEM: Final = Shape("ball", 2.0)


def figures(frames: NDArray[np.void]) -> dict[str, dict[str, Any]]:
    """{"height", "sword"} of every character that occurs, by internal id."""
    present = np.unique(frames["players"]["character"])
    named = {int(character): character_name(int(character)) for character in present if character >= 0}
    return {
        str(character): {"height": _HEIGHTS.get(name, MID_SIZED_UNITS), "sword": name in _SWORDS}
        for character, name in named.items()
    }


def special_pose(action: int, character: int) -> str | None:
    """Pose of a special's action state; None leaves it to the page."""
    starts = _SPECIALS.get(character_name(character), ())
    return next((pose for first, pose in reversed(starts) if action >= first), None)


def item_shapes(frames: NDArray[np.void]) -> dict[str, Shape]:
    """Shape and size of every kind of item that occurs, by Slippi's item id."""
    kinds = np.unique(frames["items"]["kind"])
    return {str(int(kind)): _ITEMS.get(int(kind), _ANY_ITEM) for kind in kinds if kind >= 0}
