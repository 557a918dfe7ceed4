"""Everything recorded of one character, end to end: what the measurements of `envs.sim.fidelity.measure` read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.frame import FIRST_PLAYABLE_FRAME, LEADER, SEATS
from envs.stage_outlines import stage_outlines

SAME: Final = 1e-3
"""Two measured numbers closer than this are the same one; recorded floats differ by far less."""


class Fact(NamedTuple):
    """A measured number, how many recorded samples bear on it, and the share of them that it explains."""

    value: float
    samples: int
    share: float = 1.0


class Track(NamedTuple):
    """Frames of one character, game after game; a recording of a ditto adds both seats. All arrays are [R]."""

    seen: NDArray[np.void]  # PLAYER
    foe: NDArray[np.void]  # PLAYER of the other seat on the same frame
    stage: NDArray[np.int32]
    begins: NDArray[np.bool_]  # the frame before belongs to another game or seat

    @property
    def follows(self) -> NDArray[np.bool_]:
        """[R - 1]: row i + 1 is the next frame of row i, and neither is frozen by a hit."""
        frozen = self.seen["hitlag"] > 0
        return ~self.begins[1:] & ~frozen[1:] & ~frozen[:-1]

    @property
    def starts(self) -> NDArray[np.bool_]:
        """[R]: a state begins here, anew or once more."""
        action, age = self.seen["action"], self.seen["state_age"]
        fresh = self.begins.copy()
        fresh[1:] |= (action[1:] != action[:-1]) | (age[1:] < age[:-1])
        return fresh


def track_of(games: Iterable[NDArray[np.void]], character: int) -> Track:
    """The track of a character (internal id) over the frames [T] FRAME of games; empty where nobody plays it."""
    parts: list[tuple[NDArray[np.void], NDArray[np.void], NDArray[np.int32]]] = []
    for frames in games:
        playable = frames[frames["frame"] >= FIRST_PLAYABLE_FRAME]
        players = playable["players"][:, :, LEADER]
        for seat in range(SEATS):
            if len(playable) and int(players["character"][0, seat]) == character:
                parts.append((players[:, seat], players[:, 1 - seat], playable["stage"]))
    if not parts:
        nobody = np.zeros(0, np.dtype(np.void))
        return Track(nobody, nobody, np.zeros(0, np.int32), np.zeros(0, np.bool_))
    begins = np.concatenate([np.arange(len(seen)) == 0 for seen, _, _ in parts])
    seen, foe, stage = (np.concatenate([part[column] for part in parts]) for column in range(3))
    return Track(seen, foe, stage, begins)


def mode(values: NDArray[np.floating], floor: float = 0.0) -> Fact | None:
    """The most frequent value above `floor` to a ten-thousandth; None without any."""
    counted = values[np.isfinite(values) & (values > floor)]
    if not counted.size:
        return None
    cells, counts = np.unique(np.round(counted.astype(np.float64), 4), return_counts=True)
    best = cells[counts.argmax()]
    near = np.abs(counted - best) < SAME
    return Fact(round(float(np.median(counted[near])), 5), int(near.sum()), float(near.mean()))


def fit(columns: list[NDArray[np.floating]], target: NDArray[np.floating]) -> tuple[list[float], Fact] | None:
    """Least squares without outliers: coefficients, and a Fact that counts the rows they explain.

    Rows that the first fits miss (a clamp, a collision) are dropped until the rest agrees. None under 8 rows.
    """
    rows = np.stack([column.astype(np.float64) for column in columns], axis=1)
    wanted = target.astype(np.float64)
    keep = np.ones(len(wanted), np.bool_)
    found = np.zeros(rows.shape[1])
    for _ in range(12):
        if keep.sum() < 8:
            return None
        found[:] = np.linalg.lstsq(rows[keep], wanted[keep], rcond=None)[0]
        error = np.abs(rows @ found - wanted)
        keep = error <= max(float(np.quantile(error[keep], 0.8)), SAME / 2)
    near = np.abs(rows @ found - wanted) < SAME
    return [round(float(value), 4) for value in found], Fact(0.0, int(near.sum()), float(near.mean()))


def ledge_corner(stages: NDArray[np.int32], right: NDArray[np.bool_]) -> NDArray[np.float64]:
    """[R, 2] place of the left or right ledge of each row's stage; NaN on a stage without an outline."""
    outlines = stage_outlines()
    corner = np.full((len(stages), 2), np.nan)
    for stage in np.unique(stages):
        if int(stage) in outlines:
            outline = outlines[int(stage)]
            corner[stages == stage] = (outline.edge_x, outline.outline[0][1])
    return corner * np.stack([np.where(right, 1.0, -1.0), np.ones(len(stages))], axis=1)
