"""Combat as a whole: from one frame before each recorded hit, both players' controllers, half a second free-running."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER
from envs.frame import LEADER, empty_frames
from envs.sim.fidelity.bodies import harness_tables, is_complete
from envs.sim.fidelity.events import incoming_hits
from envs.sim.fidelity.recording import Recording
from envs.sim.kernel.step import step_batch

FRAMES: Final = 30
NEAR_UNITS: Final = 1.0
SAME_PERCENT: Final = 0.01
STOCK_FRAMES: Final = 2
_NEVER: Final = 1 << 20
_IDLE: Final = np.zeros(1, CONTROLLER)

EXCHANGE: Final = np.dtype(
    [
        ("game", "<i4"),  # index of the recording
        ("frame", "<i4"),  # id of the frame of the hit
        ("victim", "<i1"),  # seat
        ("character", "<i2"),  # of the attacker
        ("action", "<i2"),  # of the attacker, at the hit
        ("error_percent", "<f4"),  # of the victim after FRAMES, predicted - recorded
        ("error_units", "<f4"),  # of its place
        ("stock_lost", "<i4"),  # frames until the victim's predicted stock loss
        ("true_stock_lost", "<i4"),
    ]
)
"""One recorded hit, FRAMES later."""


def exchanges(recording: Recording, games: NDArray[np.void]) -> NDArray[np.void]:
    """EXCHANGEs [H] of a recording between two fighters that the simulator plays; `games` [T] are the seeded ones.

    None where a fighter is unknown or driven by the game itself.
    """
    if not all(is_complete(int(row)) for row in games["fighters"]["row"][0]) or any(recording.cpu):
        return np.zeros(0, EXCHANGE)
    players = recording.frames["players"][:, :, LEADER]
    return np.concatenate([_exchanges_of(recording, games, players, victim) for victim in range(players.shape[1])])


def _exchanges_of(
    recording: Recording, games: NDArray[np.void], players: NDArray[np.void], victim: int
) -> NDArray[np.void]:
    seen = players[:, victim]
    hit = incoming_hits(seen) & (np.diff(seen["percent"], prepend=seen["percent"][:1]) > 0)
    start = np.flatnonzero(hit) - 1
    start = start[start + FRAMES < len(seen)]
    made = np.zeros(len(start), EXCHANGE)
    if not len(made):
        return made
    last, lost = _run(recording, games[start], start, victim)
    made["frame"], made["victim"] = recording.frames["frame"][start + 1], victim
    made["character"] = players["character"][0, 1 - victim]
    made["action"] = players["action"][start + 1, 1 - victim]
    end = seen[start + FRAMES]
    made["error_percent"] = last["percent"] - end["percent"]
    made["error_units"] = np.hypot(last["x"] - end["x"], last["y"] - end["y"])
    made["stock_lost"], made["true_stock_lost"] = lost, _first_loss(seen["stocks"], start)
    return made


def _run(
    recording: Recording, games: NDArray[np.void], start: NDArray[np.int64], victim: int
) -> tuple[NDArray[np.void], NDArray[np.int64]]:
    """The victim [H] after FRAMES, and the frames until it lost a stock."""
    pads = recording.frames["players"]["controller"][:, :, LEADER]
    out, done = empty_frames(len(games)), np.zeros(len(games), np.bool_)
    stocks = games["fighters"]["stocks"][:, victim].copy()
    lost = np.full(len(games), _NEVER)
    for frame in range(1, FRAMES + 1):
        step_batch(games, harness_tables(), np.ascontiguousarray(pads[start + frame]), _IDLE, out, done)
        fewer = out["players"]["stocks"][:, victim, LEADER] < stocks
        lost[fewer & (lost == _NEVER)] = frame
    return out["players"][:, victim, LEADER].copy(), lost


def _first_loss(stocks: NDArray[np.int32], start: NDArray[np.int64]) -> NDArray[np.int64]:
    """Frames [H] from each start until a stock was lost, within FRAMES."""
    fewer = stocks[start[:, None] + np.arange(1, FRAMES + 1)] < stocks[start][:, None]
    return np.where(fewer.any(axis=1), fewer.argmax(axis=1) + 1, _NEVER)


def score_exchanges(made: NDArray[np.void]) -> dict[str, Any]:
    """Shares over EXCHANGEs; that of stocks over those in which one was lost, recorded or predicted."""
    result: dict[str, Any] = {"n": len(made)}
    if not len(made):
        return result
    result["percent_exact"] = round(float((np.abs(made["error_percent"]) < SAME_PERCENT).mean()), 4)
    result["victim_within_1"] = round(float((made["error_units"] < NEAR_UNITS).mean()), 4)
    lost = made[(made["stock_lost"] < _NEVER) | (made["true_stock_lost"] < _NEVER)]
    result["stocks_lost"] = len(lost)
    if len(lost):
        same = np.abs(lost["stock_lost"] - lost["true_stock_lost"]) <= STOCK_FRAMES
        result["stock_within_2_frames"] = round(float(same.mean()), 4)
    return result
