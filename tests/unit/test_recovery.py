"""Recovery success: what counts as an attempt, and as coming back."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.frame import PLAYER, empty_frames
from envs.game import Action, Stage, character_id
from exphil_league.evaluation.recovery import LONGEST_FRAMES, Recoveries, recoveries
from exphil_league.league.model import Branch, Job, Purpose

Phase = tuple[int, Action, float, float]
"""Frames, action state, x and y of a stretch of a recording on Final Destination."""
ON_STAGE: Phase = (10, Action.STANDING, 0.0, 0.0)
LAUNCHED: Phase = (20, Action.DAMAGE_FLY_LOW, 95.0, 10.0)
HANGING: Phase = (10, Action.EDGE_HANGING, 86.0, -14.0)


def fighter(*phases: Phase, dies_after: int | None = None) -> NDArray[np.void]:
    """Frames [T] PLAYER of one fighter; `dies_after`: the phase at whose end it loses a stock."""
    parts = []
    for index, (frames, action, x, y) in enumerate(phases):
        part = np.zeros(frames, PLAYER)
        part["action"], part["x"], part["y"] = action.value, x, y
        part["airborne"] = action is not Action.STANDING
        part["stocks"] = 4 if dies_after is None or index <= dies_after else 3
        parts.append(part)
    return np.concatenate(parts)


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (fighter(ON_STAGE), (0, 0)),
        (fighter(ON_STAGE, LAUNCHED, HANGING), (1, 1)),
        (fighter(ON_STAGE, LAUNCHED, ON_STAGE, LAUNCHED, HANGING, ON_STAGE), (2, 2)),
        (fighter(ON_STAGE, LAUNCHED, (5, Action.DEAD_DOWN, 95.0, -140.0), ON_STAGE, dies_after=1), (1, 0)),
        (fighter(ON_STAGE, LAUNCHED), (0, 0)),  # still out when the recording ends
        (fighter(ON_STAGE, (30, Action.FALLING, 95.0, 5.0), ON_STAGE), (0, 0)),  # near and in control
        (fighter(ON_STAGE, (30, Action.FALLING, -115.0, 5.0), ON_STAGE), (1, 1)),  # far out
        (fighter(ON_STAGE, (30, Action.FALLING, -90.0, -30.0), ON_STAGE), (1, 1)),  # deep below
        (fighter(ON_STAGE, (LONGEST_FRAMES + 5, Action.FALLING, 115.0, 5.0), ON_STAGE), (1, 0)),
    ],
)
def test_attempts_and_successes(seen: NDArray[np.void], expected: tuple[int, int]) -> None:
    assert recoveries(seen, Stage.FINAL_DESTINATION) == expected


def test_a_series_counts_by_player_and_character() -> None:
    frames = empty_frames(40)
    frames["stage"] = Stage.FINAL_DESTINATION
    frames["players"][:, 0, 0] = fighter(ON_STAGE, LAUNCHED, HANGING)
    frames["players"][:, 1, 0] = fighter((40, Action.STANDING, 10.0, 0.0))
    frames["players"]["character"][:, :, 0] = (character_id("MEWTWO"), character_id("FOX"))
    job = Job(
        job_id="one",
        players=("main", "warm_start"),
        digests=("", ""),
        matchup=None,  # type: ignore[arg-type]
        branch=Branch.EVALUATION,
        learner_sides=(False, False),
        seed=1,
        lease_until=0.0,
        purpose=Purpose.EVALUATE,
    )
    series = Recoveries()
    assert series.wants(job)
    series.offer(job, frames)
    series.offer(job, frames[:0])
    row = series.of("main")["MEWTWO"]
    assert (row["attempts"], row["recovered"], row["rate"]) == (1, 1, 1.0)
    assert 0 < row["low"] < 1 == row["high"]
    assert series.of("warm_start")["FOX"]["rate"] is None
