"""What a scripted player must know of its character: how far it strikes and what its specials are good for.

A row per internal character id. Characters without a row of their own are taken for mid-sized ones whose up
special rises straight; one whose special does not exist in a backend presses in vain and lives by its jumps.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.game import character_id

ROWS: Final = 33
"""Internal character ids are below."""


class UpSpecial(IntEnum):
    """How an up special brings its user back."""

    RISE = 0  # up, a little sideways: from below the ledge
    AIMED = 1  # along the stick, from anywhere


class Repertoire(NamedTuple):
    """One character; units of the game."""

    reach: float = 14.0  # of grounded attacks
    up_special: UpSpecial = UpSpecial.RISE
    rise: float = 35.0  # height that the up special gains
    rise_across: float = 18.0  # and the way it goes sideways
    side_travels: bool = False  # the side special carries its user far ahead
    down_strikes: bool = False  # the down special hits at once, close by
    side_chains: bool = False  # pressing B again continues the side special
    shoots: bool = False  # the neutral special fires, or charges a shot


_SPACE_ANIMAL: Final = Repertoire(
    up_special=UpSpecial.AIMED, rise=80.0, side_travels=True, down_strikes=True, shoots=True
)
KNOWN: Final[dict[str, Repertoire]] = {
    "FOX": _SPACE_ANIMAL,
    "FALCO": _SPACE_ANIMAL._replace(rise=60.0),
    "MARTH": Repertoire(reach=20.0, rise=42.0, side_chains=True),
    "MEWTWO": Repertoire(reach=18.0, up_special=UpSpecial.AIMED, rise=60.0, shoots=True),
    "CAPTAIN_FALCON": Repertoire(reach=16.0, rise=42.0, rise_across=25.0),
}

REPERTOIRE: Final = np.dtype(
    [
        ("reach", "<f4"),
        ("up_special", "<i4"),
        ("rise", "<f4"),
        ("rise_across", "<f4"),
        ("side_travels", "<i4"),
        ("down_strikes", "<i4"),
        ("side_chains", "<i4"),
        ("shoots", "<i4"),
    ]
)


def repertoire_table() -> NDArray[np.void]:
    """[ROWS] REPERTOIRE by internal character id."""
    table = np.zeros(ROWS, REPERTOIRE)
    table[:] = tuple(Repertoire())
    for name, known in KNOWN.items():
        table[character_id(name)] = tuple(known)
    return table
