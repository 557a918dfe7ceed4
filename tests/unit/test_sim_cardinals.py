"""Pushes along one axis in newer recordings count as full ones, others stay as recorded."""

from __future__ import annotations

import numpy as np
import pytest

from envs.frame import empty_frames
from envs.sim.fidelity.cardinals import snap_cardinals


@pytest.mark.parametrize(
    ("raw", "recorded", "read"),
    [
        ((95, 6), (0.9875, 0.0), (1.0, 0.0)),
        ((-95, -6), (-0.9875, 0.0), (-1.0, 0.0)),
        ((95, 7), (0.9875, 0.0), (0.9875, 0.0)),
        ((79, 0), (0.9875, 0.0), (0.9875, 0.0)),
        ((3, -90), (0.0, -0.9875), (0.0, -1.0)),
    ],
)
def test_a_push_past_the_rim_along_one_axis_is_full(
    raw: tuple[int, int], recorded: tuple[float, float], read: tuple[float, float]
) -> None:
    frames = empty_frames(1)
    player = frames["players"][:, 0, 0]
    player["raw_x"], player["raw_y"] = raw
    player["controller"]["stick_x"], player["controller"]["stick_y"] = recorded
    frames["players"][:, 0, 0] = player
    seen = snap_cardinals(frames)["players"]["controller"][0, 0, 0]
    assert (float(seen["stick_x"]), float(seen["stick_y"])) == pytest.approx(read)
    assert np.float32(recorded[0]) == frames["players"]["controller"]["stick_x"][0, 0, 0]
