"""Words of the replay viewer: characters, stages, action states and attacks as people say them."""

from __future__ import annotations

from typing import Final

from melee.enums import Action

from envs.game import character_name

_FIRST_SPECIAL: Final = 341  # ids from here on are a character's own
_SPACE_ANIMAL: Final = ((341, "Blaster"), (347, "Illusion"), (353, "Fire special"), (360, "Reflector"))
_SPECIALS: Final = {
    "FOX": _SPACE_ANIMAL,
    "FALCO": _SPACE_ANIMAL,
    "MARTH": ((341, "Shield Breaker"), (349, "Dancing Blade"), (367, "Dolphin Slash"), (369, "Counter")),
    "MEWTWO": ((341, "Shadow Ball"), (351, "Confusion"), (353, "Teleport"), (359, "Disable")),
    "CPTFALCON": ((347, "Falcon Punch"), (349, "Raptor Boost"), (353, "Falcon Dive"), (357, "Falcon Kick")),
}
"""First action state of each special."""

_CHARACTERS: Final = {
    "CPTFALCON": "Captain Falcon",
    "DK": "Donkey Kong",
    "GAMEANDWATCH": "Mr. Game & Watch",
    "POPO": "Ice Climbers",
    "NANA": "Nana",
    "YLINK": "Young Link",
    "DOC": "Dr. Mario",
}
_STATES: Final = {
    "ON_HALO_DESCENT": "Respawning",
    "ON_HALO_WAIT": "Respawning",
    "STANDING": "Waiting",
    "KNEE_BEND": "Jump squat",
    "JUMPING_ARIAL_FORWARD": "Double jump",
    "JUMPING_ARIAL_BACKWARD": "Double jump",
    "JUMPING_FORWARD": "Jump",
    "JUMPING_BACKWARD": "Jump",
    "DEAD_FALL": "Helpless",
    "NEUTRAL_ATTACK_1": "Jab",
    "NEUTRAL_ATTACK_2": "Jab 2",
    "NEUTRAL_ATTACK_3": "Jab 3",
    "FTILT_MID": "Forward tilt",
    "UPTILT": "Up tilt",
    "DOWNTILT": "Down tilt",
    "FSMASH_MID": "Forward smash",
    "UPSMASH": "Up smash",
    "DOWNSMASH": "Down smash",
    "NAIR": "Neutral air",
    "FAIR": "Forward air",
    "BAIR": "Back air",
    "UAIR": "Up air",
    "DAIR": "Down air",
    "NAIR_LANDING": "Landing",
    "FAIR_LANDING": "Landing",
    "BAIR_LANDING": "Landing",
    "UAIR_LANDING": "Landing",
    "DAIR_LANDING": "Landing",
    "LANDING_SPECIAL": "Landing",
    "SPOTDODGE": "Spot dodge",
    "AIRDODGE": "Air dodge",
    "SHIELD_STUN": "Shield stun",
    "TUMBLING": "Tumbling",
    "EDGE_HANGING": "On the ledge",
    "EDGE_CATCHING": "Grabs the ledge",
}
_ATTACKS: Final = {
    2: "jab",
    3: "jab",
    4: "jab",
    5: "rapid jabs",
    6: "dash attack",
    7: "forward tilt",
    8: "up tilt",
    9: "down tilt",
    10: "forward smash",
    11: "up smash",
    12: "down smash",
    13: "neutral air",
    14: "forward air",
    15: "back air",
    16: "up air",
    17: "down air",
    18: "neutral special",
    19: "side special",
    20: "up special",
    21: "down special",
    50: "getup attack",
    51: "getup attack",
    52: "pummel",
    53: "forward throw",
    54: "back throw",
    55: "up throw",
    56: "down throw",
    61: "ledge attack",
    62: "ledge attack",
}
"""Name of Slippi's `last_attack` id (slippi-js, moves table)."""


def character_title(internal_id: int) -> str:
    """A character as on the screen: `Captain Falcon`."""
    name = character_name(internal_id)
    return _CHARACTERS.get(name, name.title())


def words(name: str) -> str:
    """`FINAL_DESTINATION` -> `Final Destination`."""
    return name.replace("_", " ").title().replace("Of", "of").replace("Yoshis", "Yoshi's").replace("Pokemon", "Pokémon")


def action_title(action: int, character: int) -> str:
    """An action state as people say it. Ids of specials are shared by all characters: not all have names here."""
    if action >= _FIRST_SPECIAL:
        named = _SPECIALS.get(character_name(character), ())
        return next((name for first, name in reversed(named) if action >= first), "Special")
    try:
        name = Action(action).name
    except ValueError:
        return f"State {action}"
    if name in _STATES:
        return _STATES[name]
    if name.startswith("DAMAGE_"):
        return "Flying" if "FLY" in name else "Hit"
    return name.replace("_", " ").capitalize()


def attack_title(attack: int) -> str:
    """What hit: the name of an attack id, or an empty string."""
    return _ATTACKS.get(attack, "")
