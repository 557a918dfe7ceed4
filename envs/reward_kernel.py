"""What each reward term counts in the step from one frame to the next, compiled.

`stock`       stocks lost by the opponent minus own stocks lost.
`damage`      rise of the opponent's percent minus rise of one's own; percent falls to 0 with a stock.
`win`         +1 and -1 when the game ends with a winner.
`approach`    potential: minus the distance between the players / 100.
`combo`       as `damage`, but only what is dealt to a player who was in hitstun already.
`recovery`    potential: (how far the opponent is off stage - how far oneself is) / 100. Off stage is the
              horizontal way to the nearer ledge plus the depth below it.
`edge_guard`  stocks that a player lost who was off stage and last hit by the other one.
`ledge_grab`  -1 for taking hold of a ledge.
`stalling`    -1/60 per frame that a player hangs from a ledge, or is farther than FAR_UNITS from the opponent
              and not coming nearer.
`spacing`     potential: minus the difference between the distance and SPACING_UNITS / 100.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
from melee.enums import Action, Stage
from melee.stages import EDGE_GROUND_POSITION

from envs import game
from envs.frame import FRAME, PLAYER, SEATS, word_offset
from envs.jit import RECORDS, entry_of, kernel

TERMS: Final = (
    "stock",
    "damage",
    "win",
    "approach",
    "combo",
    "recovery",
    "edge_guard",
    "ledge_grab",
    "stalling",
    "spacing",
)
"""Order of the terms axis K."""

FAR_UNITS: Final = 60.0
"""Distance beyond which a player who does not come nearer stalls: about a third of Final Destination."""
SPACING_UNITS: Final = 20.0
"""Distance of a player who spaces: about the reach of a sword's or Ganondorf's longest normals."""
FRAMES_PER_SECOND: Final = 60.0
_HUNDRED: Final = 100.0

_PLAYERS = np.array([word_offset(FRAME, "players", seat, 0) for seat in range(SEATS)])
_PORTS = word_offset(FRAME, "ports")
_STAGE = word_offset(FRAME, "stage")
_X, _Y = word_offset(PLAYER, "x"), word_offset(PLAYER, "y")
_PERCENT, _STOCKS = word_offset(PLAYER, "percent"), word_offset(PLAYER, "stocks")
_ACTION, _MISC = word_offset(PLAYER, "action"), word_offset(PLAYER, "misc_timer")
_HIT_BY = word_offset(PLAYER, "last_hit_by")
_FIRST_DAMAGE, _LAST_DAMAGE = Action.DAMAGE_HIGH_1.value, Action.DAMAGE_FLY_ROLL.value
_CATCH, _HANG = Action.EDGE_CATCHING.value, Action.EDGE_HANGING.value


def _edges() -> np.ndarray:
    """Where the ground ends, by Slippi's stage id, units; from libmelee, which calls Dream Land DREAMLAND."""
    edges = np.full(max(game.LEGAL_STAGES) + 1, np.inf, np.float32)
    for stage in game.Stage:
        edges[stage] = EDGE_GROUND_POSITION[Stage[stage.name.replace("DREAM_LAND", "DREAMLAND")]]
    return edges


_EDGES = _edges()
_entry = entry_of((Path(__file__), *RECORDS))


@kernel
def _off_stage(f, at, edge):
    """How far a player is off stage, units: along both axes together."""
    beyond = max(abs(f[at + _X]) - edge, np.float32(0.0))
    return beyond + max(-f[at + _Y], np.float32(0.0))


@kernel
def _distance(f):
    dx = f[_PLAYERS[0] + _X] - f[_PLAYERS[1] + _X]
    dy = f[_PLAYERS[0] + _Y] - f[_PLAYERS[1] + _Y]
    return np.sqrt(dx * dx + dy * dy)


@kernel
def _in_hitstun(f, i, at):
    return _FIRST_DAMAGE <= i[at + _ACTION] <= _LAST_DAMAGE and f[at + _MISC] > 0.0


@kernel
def _exchange(f0, i0, f1, i1, edge, out):
    """Terms that one player's loss decides: stock, damage, combo, edge guard."""
    for seat in range(SEATS):
        at, foe = _PLAYERS[seat], 1 - seat
        lost = np.float32(i0[at + _STOCKS] - i1[at + _STOCKS])
        hurt = max(f1[at + _PERCENT] - f0[at + _PERCENT], np.float32(0.0))
        again = hurt if _in_hitstun(f0, i0, at) else np.float32(0.0)
        guarded = lost > 0 and _off_stage(f0, at, edge) > 0.0 and i0[at + _HIT_BY] == i0[_PORTS + foe]
        edge_guard = lost if guarded else np.float32(0.0)
        for term, value in ((0, lost), (1, hurt), (4, again), (6, edge_guard)):
            out[seat, term] -= value
            out[foe, term] += value


@kernel
def _potentials(f0, f1, edge, gamma, out):
    """Discounted potentials after the step, less those before it; gamma is 0 where nothing comes after."""
    near, now = _distance(f0), _distance(f1)
    spaced, spaced_now = abs(near - SPACING_UNITS), abs(now - SPACING_UNITS)
    depth = _off_stage(f0, _PLAYERS[0], edge) - _off_stage(f0, _PLAYERS[1], edge)
    depth_now = _off_stage(f1, _PLAYERS[0], edge) - _off_stage(f1, _PLAYERS[1], edge)
    for seat in range(SEATS):
        out[seat, 3] = (near - gamma * now) / _HUNDRED
        out[seat, 9] = (spaced - gamma * spaced_now) / _HUNDRED
    out[0, 5] = (depth - gamma * depth_now) / _HUNDRED
    out[1, 5] = -out[0, 5]


@kernel
def _penalties(f0, i0, f1, i1, out):
    """Ledge grabs and stalling, each player's own."""
    before, after = _distance(f0), _distance(f1)
    away = after > FAR_UNITS and after >= before
    for seat in range(SEATS):
        at = _PLAYERS[seat]
        if i1[at + _ACTION] == _CATCH and i0[at + _ACTION] != _CATCH:
            out[seat, 7] -= 1.0
        nearer = abs(f1[at + _X] - f0[_PLAYERS[1 - seat] + _X]) < abs(f0[at + _X] - f0[_PLAYERS[1 - seat] + _X])
        if i1[at + _ACTION] == _HANG or (away and not nearer):
            out[seat, 8] -= 1.0 / FRAMES_PER_SECOND


@_entry
def terms_of_steps(f0, i0, f1, i1, done, winner, gamma, out):
    """Fill out [N, P, K] from words [N, W] before and after; see envs.reward.reward_terms."""
    for n in range(out.shape[0]):
        out[n] = 0.0
        stage = i0[n, _STAGE]
        edge = _EDGES[stage] if 0 <= stage < len(_EDGES) else np.float32(np.inf)
        _exchange(f0[n], i0[n], f1[n], i1[n], edge, out[n])
        _penalties(f0[n], i0[n], f1[n], i1[n], out[n])
        _potentials(f0[n], f1[n], edge, np.float32(0.0) if done[n] else gamma, out[n])
        if done[n] and winner[n] >= 0:
            out[n, winner[n], 2] = 1.0
            out[n, 1 - winner[n], 2] = -1.0
