"""Facts and libmelee's tables -> the one TABLES record that the kernels read.

Everything is read at run time: the TOML of this package, the hitboxes and animation displacements of the
installed libmelee. `tables()` compiles once per process; `digest()` names what was compiled.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from typing import Any, Final

import numpy as np
from melee.enums import Action
from numpy.typing import NDArray

from envs.game import character_id
from envs.sim import facts
from envs.sim.framedata import animations
from envs.sim.holds import GRIP_STATES, THROW_STATES, compile_holds, load_holds
from envs.sim.hurt import compile_hurt
from envs.sim.layout import MAX_CHARACTERS, TABLES
from envs.sim.motion import fill_motion
from envs.sim.moves import MoveFacts, compile_moves, load_moves
from envs.sim.specials import DIRECTIONS, Special, compile_items, compile_operations, load_specials
from envs.sim.stages import cloud_course, compile_stage
from envs.sim.states import COMMON_STATES, Kind, StateRow
from envs.sim.walls import compile_walls

SIM_VERSION: Final = "1"
CHARACTERS: Final = ("FOX", "FALCO", "MARTH", "MEWTWO", "CAPTAIN_FALCON")
STAGES: Final = (
    "FINAL_DESTINATION",
    "BATTLEFIELD",
    "DREAM_LAND",
    "FOUNTAIN_OF_DREAMS",
    "POKEMON_STADIUM",
    "YOSHIS_STORY",
)
FORMS: Final = (
    "POKEMON_STADIUM_FIRE",
    "POKEMON_STADIUM_GRASS",
    "POKEMON_STADIUM_ROCK",
    "POKEMON_STADIUM_WATER",
)
"""What stages turn into; their rows of the tables follow those of STAGES."""

ENDLESS: Final = (Kind.GUARD, Kind.DEAD, Kind.ENTRY, Kind.BOUND, Kind.CATCH_PULL, Kind.HELD, Kind.THROWN, Kind.DAZED)
"""Kinds of state that no animation ends."""


class BadFacts(ValueError):
    """The facts do not fit the tables; the message names the file and key."""


@lru_cache(maxsize=1)
def tables() -> NDArray[np.void]:
    """The compiled constants [1] TABLES, read-only. Raises BadFacts."""
    compiled = np.zeros(1, TABLES)
    record = compiled[0]
    for section in facts.load("common").values():
        for name, value in section.items():
            record["common"][name] = value
    record["characters"]["character"] = -1
    record["stages"]["stage"] = -1
    for row, name in enumerate(CHARACTERS[:MAX_CHARACTERS]):
        _compile_character(name, record["characters"][row])
    for row, name in enumerate((*STAGES, *FORMS)):
        compile_stage(name, record["stages"][row])
    record["cloud"] = cloud_course()
    compiled.setflags(write=False)
    return compiled


@lru_cache(maxsize=1)
def digest() -> str:
    """Short name of the rules: compiled facts, simulator version, libmelee version."""
    parts = hashlib.sha256(tables().tobytes())
    parts.update(f"{SIM_VERSION}/{version('melee')}".encode())
    return parts.hexdigest()[:12]


def _compile_character(name: str, out: NDArray[np.void]) -> None:
    file = f"characters/{name.lower()}"
    known = facts.load(file)
    out["character"] = character_id(name)
    for key, value in (known["attributes"] | known["body"]).items():
        out[key] = value
    moves = load_moves(name.lower())
    specials, starts = load_specials(name.lower())
    compile_operations(specials, out["combat"])
    compile_items(name.lower(), out["combat"])
    holds = load_holds(f"characters/{name.lower()}_throws")
    compile_holds(holds, int(out["character"]), out["hold"])
    known["lengths"] |= holds.lengths
    out["specials"] = [starts[direction] for direction in DIRECTIONS]
    rows = COMMON_STATES | {special.action: special.row for special in specials}
    out_of_reach = () if holds.catches else (*GRIP_STATES, *THROW_STATES)
    for absent in (*known.get("absent", ()), *out_of_reach):
        del rows[_action(file, absent)]
    move_rows = compile_moves(moves, int(out["character"]), out["combat"])
    compile_hurt(name.lower(), out["combat"])
    compile_walls(name.lower(), out["walls"])
    out["states"]["move"] = -1
    out["states"]["script"] = -1
    out["states"]["locomotion"] = -1
    for action, row in rows.items():
        _fill_state(out["states"][action], row)
    _fill_lengths(file, known, out["states"])
    _fill_specials(specials, out["states"])
    _fill_moves(moves, move_rows, out["states"])
    known["feet"] |= {Action(special.action).name: special.feet for special in specials if special.feet}
    known["special_paths"] = {special.action: list(special.path) for special in specials if special.is_animated}
    fill_motion(animations(int(out["character"])), known, rows, out)
    _check_lengths(file, rows, out["states"])


def _fill_state(state: NDArray[np.void], row: StateRow) -> None:
    state["physics"], state["kind"], state["interrupts"] = row.physics, row.kind, row.can
    state["flags"], state["age_start"] = row.flags, row.age_start
    state["next"], state["landing"] = row.next, row.landing
    state["intangible_from"], state["intangible_to"] = 1, 0
    state["modelled"] = 1


def _fill_lengths(file: str, known: dict[str, Any], states: NDArray[np.void]) -> None:
    lengths = facts.load("lengths")["lengths"] | known["lengths"]
    for name, length in lengths.items():
        states[_action(file, name)]["length"] = length
    for name, age in known["turns"].items():
        states[_action(file, name)]["turn_age"] = age
    for name, (first, last) in known["intangible"].items():
        states[_action(file, name)]["intangible_from"] = first
        states[_action(file, name)]["intangible_to"] = last


def _action(file: str, name: str) -> int:
    try:
        return int(Action[name].value)
    except KeyError:
        raise BadFacts(f"facts/{file}.toml: {name} is not an action state of libmelee's Action") from None


def _fill_specials(specials: tuple[Special, ...], states: NDArray[np.void]) -> None:
    for special in specials:
        state = states[special.action]
        state["length"] = special.length
        state["intangible_from"], state["intangible_to"] = special.intangible


def _fill_moves(moves: tuple[MoveFacts, ...], rows: dict[int, int], states: NDArray[np.void]) -> None:
    """Lengths count from age 1, so a move of n frames ends when its age would reach n + 1."""
    for move in moves:
        state = states[move.action]
        if state["kind"] != Kind.SPECIAL:
            state["length"] = move.length + 1
        state["iasa"], state["follow_up"] = move.iasa, move.follow_up
        state["move"] = rows.get(move.action, -1)
        if move.landing >= 0:
            states[move.landing]["landing_lag"] = move.landing_lag
            state["autocancel_before"], state["autocancel_after"] = move.autocancel


def _check_lengths(file: str, rows: dict[int, StateRow], states: NDArray[np.void]) -> None:
    for action, row in rows.items():
        if states[action]["length"] <= 0 and row.kind not in ENDLESS:
            raise BadFacts(f"facts/{file}.toml: [lengths] lacks {Action(action).name}")
