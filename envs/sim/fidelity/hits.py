"""Launch speed, hitlag and hitstun of recorded hits, given who hit with what.

The victim is stepped from the frame before without its attacker, so that it is what it was when struck; the
simulator's own resolve phase then decides launch, hitlag and hitstun for each hitbox of the attacker's frame. A
recording does not say which of them landed: the one whose launch comes nearest counts. The damage dealt, and with it
the staling, is the recorded one.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER
from envs.frame import LEADER, empty_frames
from envs.game import Character
from envs.sim import facts
from envs.sim.combat_layout import BOXES
from envs.sim.compile import CHARACTERS
from envs.sim.fidelity.bodies import ENDLESS, STANDS, STRANGER, harness_tables, is_stranger
from envs.sim.fidelity.events import melee_hits
from envs.sim.fidelity.recording import Recording
from envs.sim.jit import entry
from envs.sim.kernel.damage import charged, receive
from envs.sim.kernel.step import step_batch

HIT: Final = np.dtype(
    [
        ("game", "<i4"),  # index of the recording
        ("character", "<i2"),  # internal id of the attacker
        ("frame", "<i4"),  # id of the frame of the hit
        ("attacker", "<i1"),  # seat
        ("action", "<i2"),  # of the attacker
        ("speed", "<f4"),
        ("hitlag", "<f4"),
        ("hitstun", "<f4"),
        ("true_speed", "<f4"),
        ("true_hitlag", "<f4"),
        ("true_hitstun", "<f4"),
    ]
)
"""A recorded hit and what the simulator makes of it."""
_OUTCOME: Final = np.dtype([("speed", "<f4"), ("hitlag", "<f4"), ("hitstun", "<f4")])
_IDLE: Final = np.zeros(1, CONTROLLER)


class Known(NamedTuple):
    """Hits whose attack the tables know: [H] each."""

    at: NDArray[np.int64]  # row of the frame of the hit
    row: NDArray[np.int64]  # of combat.hit_frames
    weight: NDArray[np.float32]  # of the victim
    dealt: NDArray[np.float32]


def hits(recording: Recording, games: NDArray[np.void]) -> NDArray[np.void]:
    """HITs [H] landed by the bodies of the fighters that the simulator plays, where the tables know the attack.

    `games` [T] are the seeded ones.
    """
    seats = [seat for seat in recording.seats if not recording.cpu[seat]]
    return np.concatenate([np.zeros(0, HIT), *(_hits_of(recording, games, seat) for seat in seats)])


def _hits_of(recording: Recording, games: NDArray[np.void], seat: int) -> NDArray[np.void]:
    players = recording.frames["players"][:, :, LEADER]
    me, foe = players[:, seat], players[:, 1 - seat]
    known = _known(me, foe, int(games["fighters"]["row"][0, seat]))
    made = np.zeros(len(known.at), HIT)
    if not len(made):
        return made
    outcome = _best(_struck(recording, games, seat, known), seat, known, _speed(foe[known.at]))
    made["character"], made["attacker"], made["action"] = me["character"][0], seat, me["action"][known.at]
    made["frame"] = recording.frames["frame"][known.at]
    made["true_speed"] = _speed(foe[known.at])
    made["true_hitlag"], made["true_hitstun"] = foe["hitlag"][known.at], foe["misc_timer"][known.at]
    for name in ("speed", "hitlag", "hitstun"):
        made[name] = outcome[name]
    return made


def _known(me: NDArray[np.void], foe: NDArray[np.void], row: int) -> Known:
    character = harness_tables()[0]["characters"][row]
    at = np.flatnonzero(melee_hits(me, foe) & (np.diff(foe["percent"], prepend=foe["percent"][:1]) > 0))
    action = np.clip(me["action"][at], 0, len(character["states"]) - 1)
    index = character["states"]["move"][action]
    move = character["combat"]["moves"][np.maximum(index, 0)]
    age = np.rint(me["state_age"][at]).astype(np.int64)
    known = (index >= 0) & (move["attack_id"] == me["last_attack"][at])
    known &= (age >= move["first_frame"]) & (age <= move["last_frame"])
    at, move, age = at[known], move[known], age[known]
    weight = np.full(len(at), weight_of(int(foe["character"][0])), np.float32)
    return Known(at, move["row"] + age - move["first_frame"], weight, foe["percent"][at] - foe["percent"][at - 1])


def weight_of(character: int) -> float:
    """Weight of any fighter by internal id."""
    known = harness_tables()[0]["characters"][: len(CHARACTERS)]
    mine = known["weight"][known["character"] == character]
    return float(mine[0] if len(mine) else facts.load("strangers")["weight"][Character(character).name])


def _speed(players: NDArray[np.void]) -> NDArray[np.float32]:
    return np.hypot(players["speed_x_attack"], players["speed_y_attack"])


def _struck(recording: Recording, games: NDArray[np.void], seat: int, known: Known) -> NDArray[np.void]:
    """Games [H] at the moment of each hit: the attacker of that frame, the victim stepped up to it alone."""
    frames = recording.frames
    struck = games[known.at - 1]
    attacker, victim = struck["fighters"][:, seat], struck["fighters"][:, 1 - seat]
    attacker["row"], attacker["action"], attacker["life_timer"], attacker["move"] = STRANGER, STANDS, ENDLESS, -1
    attacker["airborne"] = 1
    victim["row"] = np.where(is_stranger(victim["row"]), 0, victim["row"])
    seen = frames["players"][known.at - 1, 1 - seat, LEADER]
    unknown = victim["action"] == STANDS
    victim["action"] = np.where(unknown, _common(seen["action"]), victim["action"])
    moves = harness_tables()[0]["characters"][0]["states"]["move"]
    victim["move"] = np.where(unknown, moves[victim["action"]], victim["move"])
    struck["items"]["kind"] = -1
    struck["items_live"] = 0
    pads = np.ascontiguousarray(frames["players"]["controller"][known.at, :, LEADER])
    out, done = empty_frames(len(struck)), np.zeros(len(struck), np.bool_)
    step_batch(struck, harness_tables(), pads, _IDLE, out, done)
    struck["fighters"][:, seat] = games["fighters"][known.at, seat]
    for name in ("x", "y"):
        victim[name] = frames["players"][name][known.at, 1 - seat, LEADER]
    return struck


def _common(actions: NDArray[np.int32]) -> NDArray[np.int32]:
    """Action states of a fighter that the simulator lacks; its specials count as falling."""
    first_special, falling = 341, 29
    return np.where(actions < first_special, actions, falling)


def _best(struck: NDArray[np.void], seat: int, known: Known, speed: NDArray[np.float32]) -> NDArray[np.void]:
    """The outcome of the box whose launch comes nearest to the recorded speed, [H]."""
    constants = harness_tables().copy()
    best = np.zeros(len(struck), _OUTCOME)
    best["speed"] = np.inf
    row = struck["fighters"]["row"][0, seat]
    boxes = constants[0]["characters"][row]["combat"]["hit_frames"][known.row]
    for column in range(BOXES):
        outcome = np.zeros(len(struck), _OUTCOME)
        strike(struck.copy(), constants, seat, known.row, column, known.dealt, known.weight, outcome)
        nearer = np.abs(outcome["speed"] - speed) < np.abs(best["speed"] - speed)
        nearer &= boxes["active"][:, column] != 0
        best[nearer] = outcome[nearer]
    return best


@entry
def strike(games: Any, tables: Any, seat: int, rows: Any, column: int, dealt: Any, weights: Any, outcome: Any) -> None:
    """Put one hitbox column of the attacker's frame to the victim of every game [H] and note what becomes of it."""
    for n in range(games.shape[0]):
        me, foe = games[n].fighters[seat], games[n].fighters[1 - seat]
        tables[0].characters[foe.row].weight = weights[n]
        box = tables[0].characters[me.row].combat.hit_frames[rows[n], column]
        me.hit_damage = charged(me, tables[0], box.damage)
        me.hit_dealt = dealt[n]
        me.hitlag = 0.0
        receive(games[n], me, foe, tables[0], rows[n] * 2 * BOXES + column)
        outcome[n].speed = ((foe.kb_x + foe.ground_kb) ** 2 + foe.kb_y**2) ** 0.5
        outcome[n].hitlag = foe.hitlag
        outcome[n].hitstun = foe.hitstun


def score_hits(made: NDArray[np.void]) -> dict[str, Any]:
    """n, and the shares of HITs launched within .2 %, frozen and stunned exactly."""
    if not len(made):
        return {"n": 0}
    near = np.abs(made["speed"] - made["true_speed"]) <= 0.002 * made["true_speed"]
    return {
        "n": len(made),
        "launch_within_0_2pct": round(float(near.mean()), 4),
        "hitlag_exact": round(float((made["hitlag"] == made["true_hitlag"]).mean()), 4),
        "hitstun_exact": round(float((made["hitstun"] == made["true_hitstun"]).mean()), 4),
    }
