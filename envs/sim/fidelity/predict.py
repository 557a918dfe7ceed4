"""Predictions of a recorded game: every frame seeds one game, which the recorded controllers drive k frames."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import CONTROLLER
from envs.frame import LEADER, empty_frames
from envs.sim.fidelity.bodies import harness_tables
from envs.sim.fidelity.classes import classify
from envs.sim.fidelity.recording import Recording
from envs.sim.fidelity.seed import seed_games
from envs.sim.kernel.step import step_batch

ROW: Final = np.dtype(
    [
        ("game", "<i4"),  # index of the recording
        ("frame", "<i4"),  # id of the frame predicted from
        ("port", "<i1"),  # 0..3
        ("k", "<i1"),  # frames ahead
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

_SHIELD_FIRST, _SHIELD_LAST = 178, 182
_DAMAGE_FIRST, _DAMAGE_LAST = 75, 91
_CAPTURED: Final = (223, 226)
"""The two states in which a grab takes hold of a fighter."""
_IDLE: Final = np.zeros(1, CONTROLLER)


def predict(recording: Recording, index: int, steps: Sequence[int]) -> NDArray[np.void]:
    """ROWs of every seat that the simulator plays, from every frame t to t + k for each k of `steps`.

    `index` becomes the rows' `game`. Frames whose t + k the recording does not reach make no row.
    """
    rows = []
    for k, players in _roll(recording.frames, steps):
        rows += [_rows(recording, index, seat, k, players[:, seat]) for seat in recording.seats]
    return np.concatenate(rows)


def _roll(frames: NDArray[np.void], steps: Sequence[int]) -> list[tuple[int, NDArray[np.void]]]:
    """(k, predicted leaders [T - k, P]) for each k of `steps`."""
    games = seed_games(frames)
    pads = np.ascontiguousarray(frames["players"]["controller"][:, :, LEADER])
    predicted = []
    out = empty_frames(len(games))
    done = np.zeros(len(games), np.bool_)
    for k in range(1, max(steps) + 1):
        left = len(frames) - k
        if left <= 0:
            break
        games, out, done = games[:left], out[:left], done[:left]
        step_batch(games, harness_tables(), pads[k:], _IDLE, out, done)
        if k in steps:
            predicted.append((k, out["players"][:, :, LEADER].copy()))
    return predicted


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


def incoming_hits(seen: NDArray[np.void]) -> NDArray[np.bool_]:
    """[T] whether the other fighter's attack reached this one at each frame of PLAYERs [T].

    Its percent rose, it was frozen while struck or shielding, or a grab took hold of it.
    """
    action, hitlag, percent = seen["action"], seen["hitlag"], seen["percent"]
    hit = np.zeros(len(seen), np.bool_)
    struck = (action >= _DAMAGE_FIRST) & (action <= _DAMAGE_LAST) | (action >= _SHIELD_FIRST) & (action <= _SHIELD_LAST)
    hit[1:] = percent[1:] > percent[:-1]
    hit[1:] |= struck[1:] & (hitlag[1:] > hitlag[:-1])
    hit[1:] |= np.isin(action[1:], _CAPTURED) & (action[1:] != action[:-1])
    return hit


def _any_in_window(event: NDArray[np.bool_], k: int) -> NDArray[np.bool_]:
    """[T - k] whether the event happened in (t, t + k]."""
    total = np.cumsum(event)
    return total[k:] > total[:-k]
