"""Ids of the game and their names: characters, stages, buttons, action states.

Internal character ids and action-state names come from libmelee's enums. Slippi's Game Start event
names characters by their *external* id (the character-select numbering), post-frame events by the
internal one; `EXTERNAL_ID` is the map between the two (Slippi replay file specification, appendix).
"""

from __future__ import annotations

import difflib
from enum import IntEnum

from melee.enums import Action, Character

__all__ = [
    "CHARACTER_ALIASES",
    "EXTERNAL_ID",
    "INTERNAL_ID",
    "LEGAL_STAGES",
    "Action",
    "Button",
    "Character",
    "Stage",
    "UnknownName",
    "character_id",
    "character_name",
    "costumes",
    "stage_id",
    "stage_name",
]


class UnknownName(ValueError):
    """A character or stage name that the game does not have; the message suggests the nearest."""


class Stage(IntEnum):
    """The six tournament-legal stages by Slippi's stage id."""

    FOUNTAIN_OF_DREAMS = 2
    POKEMON_STADIUM = 3
    YOSHIS_STORY = 8
    DREAM_LAND = 28
    BATTLEFIELD = 31
    FINAL_DESTINATION = 32


LEGAL_STAGES: tuple[int, ...] = tuple(int(s) for s in Stage)


class Button(IntEnum):
    """Bits of Slippi's `buttons_physical` field, in the order of the controller head's button block."""

    A = 0x0100
    B = 0x0200
    X = 0x0400
    Y = 0x0800
    Z = 0x0010
    L = 0x0040
    R = 0x0020
    D_UP = 0x0008


_EXTERNAL_ORDER = (
    "CPTFALCON DK FOX GAMEANDWATCH KIRBY BOWSER LINK LUIGI MARIO MARTH MEWTWO NESS PEACH PIKACHU POPO "
    "JIGGLYPUFF SAMUS YOSHI ZELDA SHEIK FALCO YLINK DOC ROY PICHU GANONDORF"
).split()

EXTERNAL_ID: dict[int, int] = {Character[name].value: ext for ext, name in enumerate(_EXTERNAL_ORDER)}
"""internal id -> external (Game Start) id"""
INTERNAL_ID: dict[int, int] = {ext: internal for internal, ext in EXTERNAL_ID.items()}
"""external (Game Start) id -> internal id"""
_COSTUMES = tuple(map(int, "6 5 4 4 6 4 5 4 5 5 4 4 5 4 4 5 5 6 5 5 4 5 5 5 4 5".split()))
"""By external id."""

CHARACTER_ALIASES: dict[str, str] = {
    "CAPTAIN_FALCON": "CPTFALCON",
    "FALCON": "CPTFALCON",
    "DONKEY_KONG": "DK",
    "GAME_AND_WATCH": "GAMEANDWATCH",
    "GNW": "GAMEANDWATCH",
    "ICE_CLIMBERS": "POPO",
    "ICS": "POPO",
    "YOUNG_LINK": "YLINK",
    "DR_MARIO": "DOC",
    "PUFF": "JIGGLYPUFF",
    "GANON": "GANONDORF",
}


def _normal(name: str) -> str:
    return name.strip().upper().replace("-", "_").replace(" ", "_").replace("'", "").replace("&", "AND")


def character_id(name: str) -> int:
    """Internal id of a character by libmelee's name or an alias ("fox", "captain falcon").

    Raises UnknownName with a suggestion.
    """
    key = CHARACTER_ALIASES.get(_normal(name), _normal(name))
    if key in Character.__members__ and Character[key].value in EXTERNAL_ID:
        return int(Character[key].value)
    known = [*_EXTERNAL_ORDER, *CHARACTER_ALIASES]
    raise UnknownName(_unknown("character", name, known, key))


def costumes(internal_id: int) -> int:
    """How many costumes a character has that can be picked; they are numbered from 0."""
    return _COSTUMES[EXTERNAL_ID[int(internal_id)]]


def character_name(internal_id: int) -> str:
    """libmelee's name of an internal character id."""
    return Character(int(internal_id)).name


def stage_id(name: str) -> int:
    """Slippi's id of a legal stage by name ("battlefield", "FINAL_DESTINATION"). Raises UnknownName."""
    key = _normal(name)
    if key in Stage.__members__:
        return int(Stage[key])
    raise UnknownName(_unknown("stage", name, list(Stage.__members__), key))


def stage_name(slippi_id: int) -> str:
    """Name of a legal stage; UnknownName for any other id."""
    try:
        return Stage(int(slippi_id)).name
    except ValueError:
        raise UnknownName(f"stage {slippi_id} is not one of the six legal stages") from None


def _unknown(kind: str, name: str, known: list[str], key: str) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(known)}"
    return f"unknown {kind} {name!r}; {hint}"
