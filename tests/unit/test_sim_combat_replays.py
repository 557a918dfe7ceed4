"""Hits of recorded Fox games, put to the simulator's own resolve phase: which box landed is given, the rest is not.

Every recorded hit of a known move seeds two fighter records (place, facing, percent, old knockback, damage dealt);
`damage.receive` then decides launch, hitlag and hitstun, which are compared with the recording.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.game import Action, Character
from envs.sim.combat_layout import BOXES
from envs.sim.compile import tables
from envs.sim.kernel.damage import receive
from envs.sim.kernel.flight import decay_knockback
from envs.sim.layout import new_games
from envs.slippi.read import read_game

REPLAYS = os.environ.get("EXPHIL_REPLAYS")
WEIGHTS = {"FOX": 75, "FALCO": 80, "MARTH": 87, "SHEIK": 90, "CPTFALCON": 104, "GAMEANDWATCH": 60, "MEWTWO": 85}
FIRST_SPECIAL_SEEN, REFLECTORS = 341, (360, 365)

pytestmark = pytest.mark.skipif(REPLAYS is None, reason="EXPHIL_REPLAYS names no folder of recorded games")


@dataclass(frozen=True)
class Hit:
    """One recorded hit: the players of the frame before and of the hit, and the row of hit boxes."""

    attacker: np.void
    before: np.void
    after: np.void
    row: int
    free_frames: int  # unfrozen frames of the victim since its last hit


def recorded_hits() -> Iterator[Hit]:
    assert REPLAYS is not None
    for path in sorted(Path(REPLAYS, "clean").glob("*fox*.slp")):
        frames = read_game(path).frames
        players = frames["players"][:, :, 0]
        for seat in range(2):
            if players["character"][300, seat] == Character.FOX.value and not np.isnan(players["hitlag"][300, seat]):
                yield from _hits_of(players[:, seat], players[:, 1 - seat])


def _hits_of(attacker: NDArray[np.void], victim: NDArray[np.void]) -> Iterator[Hit]:
    free = 254
    for t in range(2, len(victim) - 30):
        free = min(free + int(victim["hitlag"][t - 1] <= 1), 254)
        struck = victim["percent"][t] > victim["percent"][t - 1] and victim["hitlag"][t] > 0
        if not struck:
            continue
        row = _row_of(attacker[t]) if attacker["hitlag"][t] > 0 else -1
        if row >= 0 and Character(int(victim["character"][t])).name in WEIGHTS:
            yield Hit(attacker[t], victim[t - 1], victim[t], row, free)
        free = 0


def _row_of(attacker: np.void) -> int:
    character = tables()[0]["characters"][0]
    action, frame = int(attacker["action"]), round(float(attacker["state_age"]))
    if action >= len(character["states"]) or (action >= FIRST_SPECIAL_SEEN and action not in REFLECTORS):
        return -1
    index = int(character["states"][action]["move"])
    if index < 0:
        return -1
    move = character["combat"]["moves"][index]
    known = move["attack_id"] == attacker["last_attack"] and move["first_frame"] <= frame <= move["last_frame"]
    return int(move["row"] + frame - move["first_frame"]) if known else -1


@dataclass(frozen=True)
class Outcome:
    """What the simulator makes of a hit with one of the boxes."""

    speed: float
    hitlag: float
    hitstun: float


def simulated(hit: Hit, column: int) -> Outcome:
    constants = tables().copy()
    constants["characters"]["weight"] = WEIGHTS[Character(int(hit.before["character"])).name]
    games = new_games(1)
    game = games[0]
    me, foe = game["fighters"][0], game["fighters"][1]
    _place(me, hit.attacker)
    me["hit_damage"] = constants[0]["characters"][0]["combat"]["hit_frames"][hit.row, column]["damage"]
    me["hit_dealt"] = hit.after["percent"] - hit.before["percent"]
    _seed_victim(foe, hit)
    decay_knockback(foe, constants[0]["characters"][0], constants[0]["stages"][0], constants[0]["common"])
    foe["x"], foe["y"] = hit.after["x"], hit.after["y"]
    receive(game, me, foe, constants[0], hit.row * 2 * BOXES + column)
    speed = float(np.hypot(foe["kb_x"] + foe["ground_kb"], foe["kb_y"]))
    return Outcome(speed, float(foe["hitlag"]), float(foe["hitstun"]))


def _place(fighter: Any, player: np.void) -> None:
    for name in ("x", "y", "facing", "action"):
        fighter[name] = player[name]


def _seed_victim(foe: Any, hit: Hit) -> None:
    before = hit.before
    _place(foe, before)
    foe["action"] = before["action"] if before["action"] < FIRST_SPECIAL_SEEN else Action.FALLING.value
    foe["airborne"], foe["percent"], foe["hitlag"] = before["airborne"], before["percent"], 0
    foe["kb_x"] = before["speed_x_attack"] if before["airborne"] else 0
    foe["kb_y"] = before["speed_y_attack"] if before["airborne"] else 0
    foe["ground_kb"] = 0 if before["airborne"] else before["speed_x_attack"]
    foe["flash_timer"], foe["move"] = hit.free_frames, -1


def best_outcome(hit: Hit) -> Outcome:
    """The outcome of the box that comes nearest to the recorded speed."""
    speed = float(np.hypot(hit.after["speed_x_attack"], hit.after["speed_y_attack"]))
    boxes = tables()[0]["characters"][0]["combat"]["hit_frames"][hit.row]
    outcomes = [simulated(hit, column) for column in range(BOXES) if boxes[column]["active"]]
    return min(outcomes, key=lambda outcome: abs(outcome.speed - speed))


def test_recorded_hits_launch_freeze_and_stun_as_the_simulator_says() -> None:
    hits = list(recorded_hits())
    outcomes = [best_outcome(hit) for hit in hits]
    speed = np.array([np.hypot(h.after["speed_x_attack"], h.after["speed_y_attack"]) for h in hits])
    launched = np.array([outcome.speed for outcome in outcomes])
    pairs = list(zip(hits, outcomes, strict=True))
    frozen = np.array([outcome.hitlag == hit.after["hitlag"] for hit, outcome in pairs])
    stunned = np.array([outcome.hitstun == hit.after["misc_timer"] for hit, outcome in pairs])
    right = np.abs(launched - speed) <= 0.002 * speed
    assert len(hits) > 500
    report = f"of {len(hits)} hits: speed {right.mean():.3f}, hitlag {frozen.mean():.3f}, hitstun {stunned.mean():.3f}"
    assert right.mean() >= 0.88, report
    assert frozen.mean() >= 0.93, report
    assert stunned.mean() >= 0.88, report
    print(report)
