"""Predictions of a recorded game: every frame seeds one game, which the recorded controllers drive k frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER
from envs.frame import LEADER, empty_frames
from envs.sim.fidelity.bodies import harness_tables
from envs.sim.fidelity.classes import classify
from envs.sim.fidelity.events import incoming_hits
from envs.sim.fidelity.recording import Recording
from envs.sim.fidelity.seed import seed_games
from envs.sim.kernel.step import step_batch

ROW: Final = np.dtype(
    [
        ("game", "<i4"),  # index of the recording
        ("frame", "<i4"),  # id of the frame predicted from
        ("port", "<i1"),  # 0..3
        ("k", "<i2"),  # frames ahead
        ("class", "<i1"),  # row of envs.sim.fidelity.classes.CLASSES
        ("hit_in_window", "?"),  # the other fighter hits this one in (frame, frame + k]
        ("cpu", "?"),  # driven by the game itself
        ("character", "<i2"),  # internal id
        ("before", "<i4"),  # action state predicted from
        # predicted for frame + k
        ("x", "<f4"),
        ("y", "<f4"),
        ("action", "<i4"),
        ("percent", "<f4"),
        # recorded at frame + k
        ("true_x", "<f4"),
        ("true_y", "<f4"),
        ("true_action", "<i4"),
        ("true_percent", "<f4"),
        # where the last displacement, repeated k times, would have led
        ("baseline_x", "<f4"),
        ("baseline_y", "<f4"),
    ]
)
"""One prediction beside what was recorded."""

_IDLE: Final = np.zeros(1, CONTROLLER)


class Rolled(NamedTuple):
    """A recorded game and what the simulator makes of it."""

    recording: Recording
    games: NDArray[np.void]  # [T] GAME as seeded
    predicted: dict[int, NDArray[np.void]]  # k -> leaders [T - k, P] PLAYER, k frames ahead


def roll(recording: Recording, steps: Sequence[int]) -> Rolled:
    """Seed a game from every frame and let the recorded controllers drive it, up to the last of `steps`."""
    frames = recording.frames
    seeded = seed_games(frames)
    pads = np.ascontiguousarray(frames["players"]["controller"][:, :, LEADER])
    predicted = {}
    games, out, done = seeded.copy(), empty_frames(len(frames)), np.zeros(len(frames), np.bool_)
    for k in range(1, min(max(steps), len(frames) - 1) + 1):
        left = len(frames) - k
        games, out, done = games[:left], out[:left], done[:left]
        step_batch(games, harness_tables(), pads[k:], _IDLE, out, done)
        if k in steps:
            predicted[k] = out["players"][:, :, LEADER].copy()
    return Rolled(recording, seeded, predicted)


def rows_of(rolled: Rolled, index: int, steps: Sequence[int]) -> NDArray[np.void]:
    """ROWs of every seat that the simulator plays, for each k of `steps`; `index` becomes their `game`.

    Frames whose t + k the recording does not reach make no row.
    """
    recording = rolled.recording
    rows = [np.zeros(0, ROW)]
    for k in (k for k in rolled.predicted if k in steps):
        players = rolled.predicted[k]
        rows += [_rows(recording, index, seat, k, players[:, seat]) for seat in recording.seats]
    return np.concatenate(rows)


def _rows(recording: Recording, index: int, seat: int, k: int, predicted: NDArray[np.void]) -> NDArray[np.void]:
    seen = recording.frames["players"][:, seat, LEADER]
    before, after = seen[:-k], seen[k:]
    rows = np.zeros(len(before), ROW)
    rows["game"], rows["k"], rows["cpu"] = index, k, recording.cpu[seat]
    rows["frame"], rows["port"] = recording.frames["frame"][:-k], recording.frames["ports"][0, seat]
    rows["class"], rows["character"], rows["before"] = classify(before["action"]), before["character"], before["action"]
    rows["hit_in_window"] = _any_in_window(incoming_hits(seen), k)
    for name in ("x", "y", "action", "percent"):
        rows[name], rows[f"true_{name}"] = predicted[name], after[name]
    for name in ("x", "y"):
        last_step = np.diff(seen[name], prepend=seen[name][:1])[:-k]
        rows[f"baseline_{name}"] = before[name] + k * last_step
    return rows


def _any_in_window(event: NDArray[np.bool_], k: int) -> NDArray[np.bool_]:
    """[T - k] whether the event happened in (t, t + k]."""
    total = np.cumsum(event)
    return total[k:] > total[:-k]
