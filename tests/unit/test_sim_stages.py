"""Stages through the backend's face: slopes, what moves, what walls do, and that nobody gets into the ground."""

from __future__ import annotations

import math

import numpy as np
import pytest
from melee.stages import randall_position
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.game import Action, Button, Stage
from envs.sim.batch import SimBackend
from envs.sim.compile import CHARACTERS, tables
from envs.sim.hold_layout import HELD
from envs.stage_outlines import stage_outlines
from exphil_league.bench.sim import sticky_inputs
from tests.unit.duel import NEUTRAL, pad

STAGES = tuple(Stage.__members__)
ROOT_REACH = 8.0
"""A root may be in the ground by less than this, units, or by what its feet are drawn up."""


class Solo:
    """Seat 0 of a game, the other fighter standing still."""

    def __init__(self, stage: str, seed: int = 0) -> None:
        self.backend = SimBackend(1)
        row = np.stack([Matchup(stage=stage, stocks=99, time_limit_s=0).row()])
        self.backend.reset(np.ones(1, np.bool_), row, np.array([seed], np.uint64))

    def step(self, controller: NDArray[np.void] = NEUTRAL) -> np.void:
        """One frame; the game's FRAME record."""
        return self.backend.step(np.stack([controller, NEUTRAL]).reshape(1, 2))[0].copy()

    def player(self, controller: NDArray[np.void] = NEUTRAL) -> np.void:
        """One frame; the leader's PLAYER record."""
        return self.step(controller)["players"][0, 0]

    def until(self, action: Action, controller: NDArray[np.void] = NEUTRAL, limit: int = 200) -> np.void:
        """Hold a controller until the leader is in an action state."""
        for _ in range(limit):
            seen = self.player(controller)
            if seen["action"] == action.value:
                return seen
        raise AssertionError(f"{action.name} did not come within {limit} frames")


@pytest.mark.parametrize("stage", STAGES)
def test_a_game_starts_on_the_floor_under_the_start(stage: str) -> None:
    solo = Solo(stage)
    first = solo.step()["players"][:, 0].copy()
    record = tables()[0]["stages"][[int(s) for s in tables()[0]["stages"]["stage"]].index(int(Stage[stage]))]
    assert (first["airborne"] == 0).all()
    assert first["x"] == pytest.approx(record["start_x"])
    assert (record["start_y"] - first["y"] < 11).all()
    assert set(first["ground_id"]) <= set(record["lines"]["ground"][: record["lines_used"]])


def test_a_run_down_a_slope_covers_its_length() -> None:
    solo = Solo("YOSHIS_STORY")
    solo.until(Action.PLATFORM_DROP, pad(stick_y=-1.0))
    solo.until(Action.STANDING)
    *_, seen = (solo.player(pad(stick_x=-0.5)) for _ in range(20))
    before, seen = seen, solo.player(pad(stick_x=-0.5))
    assert seen["ground_id"] == 2
    assert abs(seen["speed_ground_x"]) > 0.3
    step = math.hypot(seen["x"] - before["x"], seen["y"] - before["y"])
    assert step == pytest.approx(abs(seen["speed_ground_x"]), abs=1e-4)
    assert seen["y"] < before["y"] < 0


def test_the_cloud_carries_whoever_stands_on_it() -> None:
    solo = Solo("YOSHIS_STORY")
    for _ in range(39 + 600):
        solo.step()
    fighter = solo.backend._games["fighters"][0, 0]
    height, left, _ = randall_position(601)
    fighter["x"], fighter["y"], fighter["airborne"], fighter["vy"] = left + 6.0, height + 5.0, 1, -1.0
    fighter["action"] = Action.FALLING.value
    seen = solo.until(Action.LANDING)
    frame = int(solo.backend._frames["frame"][0])
    assert seen["ground_id"] == 0
    x = float(seen["x"]) - randall_position(frame)[1]
    for later in range(frame + 1, frame + 60):
        seen = solo.player()
        assert seen["y"] == pytest.approx(randall_position(later)[0], abs=2e-3)
        assert seen["x"] - randall_position(later)[1] == pytest.approx(x, abs=5e-3)


def test_the_fountain_moves_at_its_own_speeds_and_within_its_limits() -> None:
    solo = Solo("FOUNTAIN_OF_DREAMS", seed=1)
    seen = [solo.step() for _ in range(6000)]
    heights = np.array([(float(f["fod_left"]), float(f["fod_right"])) for f in seen])
    assert heights[0] == pytest.approx([20.0, 28.0])
    moved = np.diff(heights, axis=0)
    assert moved.max() == pytest.approx(0.15, abs=1e-4)
    assert moved.min() == pytest.approx(-0.1, abs=1e-4)
    assert heights.max() <= 35.0
    assert heights.min() == pytest.approx(-1.0)
    other = Solo("FOUNTAIN_OF_DREAMS", seed=4)
    assert any(other.step()["fod_left"] != height for height in heights[:2000, 0])


def test_the_wind_blows_for_its_time_and_pushes() -> None:
    solo = Solo("DREAM_LAND", seed=1)
    seen = [solo.step() for _ in range(4000)]
    wind = np.array([int(frame["whispy"]) for frame in seen])
    x = np.array([float(frame["players"]["x"][1, 0]) for frame in seen])
    blows = np.flatnonzero(np.diff((wind > 0).astype(int)))
    assert blows[1] - blows[0] == 274
    assert set(np.unique(wind)) <= {0, 1, 2}
    pushed = np.diff(x)[blows[0] : blows[1]]
    side = 0.2 if wind[blows[0] + 1] == 2 else -0.2
    assert np.allclose(pushed[np.abs(pushed) > 0], side, atol=1e-4)
    assert np.diff(x)[: blows[0]] == pytest.approx(0)


def test_a_fox_jumps_off_a_wall_and_off_none_without_the_tap() -> None:
    for stick, action in ((1.0, Action.WALL_TECH_JUMP), (0.0, Action.FALLING)):
        solo = Solo("FINAL_DESTINATION")
        fighter = solo.backend._games["fighters"][0, 0]
        solo.step()
        fighter["x"], fighter["y"], fighter["airborne"], fighter["vx"] = 88.0, -14.0, 1, -1.0
        fighter["facing"], fighter["action"], fighter["ledge_cooldown"] = -1.0, Action.FALLING.value, 29
        seen = solo.player(pad(stick_x=stick))
        assert seen["action"] == action.value
        if action is Action.WALL_TECH_JUMP:
            wall = [solo.player(pad(stick_x=stick)) for _ in range(5)]
            assert [float(p["speed_y"]) for p in wall] == pytest.approx([0, 0, 0, 0, 3.3 - 0.23])
            assert wall[-1]["speed_air_x"] == pytest.approx(1.4 - 0.02)


@pytest.mark.parametrize(("jumps", "action"), [(False, Action.WALL_TECH), (True, Action.WALL_TECH_JUMP)])
def test_a_launch_into_a_wall_is_teched_or_thrown_back(jumps: bool, action: Action) -> None:
    for tech_window, expected in ((20, action), (0, Action.BOUNCE_WALL)):
        solo = Solo("FINAL_DESTINATION")
        solo.step()
        fighter = solo.backend._games["fighters"][0, 0]
        fighter["x"], fighter["y"], fighter["airborne"], fighter["action"] = 89.0, -14.0, 1, 88
        fighter["kb_x"], fighter["kb_y"], fighter["hitstun"], fighter["tech_buffer"] = -4.0, 0.5, 40, tech_window
        seen = solo.player(pad(Button.X) if jumps else NEUTRAL)
        assert seen["action"] == expected.value
        if expected is Action.BOUNCE_WALL:
            assert seen["speed_x_attack"] == pytest.approx(0.8 * (4.0 - 0.05), abs=0.02)
        else:
            assert seen["speed_x_attack"] == 0
            assert seen["hurtbox"] == 2


def inside(
    outline: tuple[tuple[float, float], ...], x: NDArray[np.float32], y: NDArray[np.float32]
) -> NDArray[np.bool_]:
    """Whether points lie in a polygon (even-odd rule)."""
    found = np.zeros(x.shape, np.bool_)
    for (x0, y0), (x1, y1) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if y0 != y1:
            found ^= ((y0 > y) != (y1 > y)) & (x < (x1 - x0) * (y - y0) / (y1 - y0) + x0)
    return found


def check_outside(steps: int, games: int) -> None:
    backend = SimBackend(games)
    pairs = [(a, b) for a in CHARACTERS for b in CHARACTERS]
    rows = np.stack(
        [
            Matchup(stage=STAGES[n % 6], characters=pairs[n // 6 % len(pairs)], stocks=99, time_limit_s=0).row()
            for n in range(games)
        ]
    )
    backend.reset(np.ones(games, np.bool_), rows, np.arange(games, dtype=np.uint64))
    inputs = sticky_inputs(np.random.default_rng(7), 512, games)
    fighters = backend._games["fighters"]
    for step in range(steps):
        players = backend.step(inputs[step % 512])["players"][:, :, 0]
        for k, stage in enumerate(STAGES):
            seen = players[k::6]
            reach = np.maximum(fighters["feet"][k::6], ROOT_REACH)
            stuck = inside(stage_outlines()[int(Stage[stage])].outline, seen["x"], seen["y"] + reach)
            stuck &= fighters["grip"][k::6] != HELD  # who is thrown goes where the throw takes it
            assert not stuck.any(), (stage, seen[stuck][["x", "y", "action"]])


def test_nobody_falls_through_a_floor_or_walks_into_a_wall() -> None:
    check_outside(steps=1500, games=48)


@pytest.mark.slow
def test_nobody_gets_into_a_stage_in_a_million_frames() -> None:
    check_outside(steps=4000, games=288)
