"""The simulator's side of the backend contract: resets, endings, refusals, saved states."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.backend import Backend, EndedBy, Matchup, UnsupportedMatchup
from envs.controller import CONTROLLER
from envs.frame import words_i32
from envs.game import Action
from envs.sim.batch import SimBackend

EVERY = np.ones(2, np.bool_)
SEEDS = np.array([3, 4], np.uint64)


def started(*matchups: Matchup) -> SimBackend:
    backend = SimBackend(len(matchups))
    rows = np.stack([m.row() for m in matchups])
    backend.reset(np.ones(len(matchups), np.bool_), rows, np.arange(len(matchups), dtype=np.uint64))
    return backend


def held(games: int, seat: int | None = None, **fields: float) -> NDArray[np.void]:
    """Controllers [N, P], neutral but for the fields, of one seat or of both."""
    pads = np.zeros((games, 2), CONTROLLER)
    for name, value in fields.items():
        pads[name][:, seat if seat is not None else slice(None)] = value
    return pads


def test_it_is_a_backend_with_a_stable_version() -> None:
    backend = SimBackend(2)
    assert isinstance(backend, Backend)
    assert backend.name == "sim"
    assert backend.version == SimBackend(1).version
    assert backend.done.all()


def test_unknown_matchups_are_refused_before_anything_changes() -> None:
    backend = started(Matchup(), Matchup())
    before = backend.save()
    bad = np.stack([Matchup().row(), Matchup(characters=("FOX", "LUIGI")).row()])
    with pytest.raises(UnsupportedMatchup, match=r"LUIGI.*can play FOX"):
        backend.reset(EVERY, bad, SEEDS)
    elsewhere = np.stack([Matchup().row()] * 2)
    elsewhere["stage"] = [31, 25]
    with pytest.raises(UnsupportedMatchup, match=r"stage 25; it has FINAL_DESTINATION, BATTLEFIELD"):
        backend.reset(EVERY, elsewhere, SEEDS)
    assert backend.save() == before


def test_a_masked_reset_leaves_the_other_games() -> None:
    backend = started(Matchup(), Matchup(stage="BATTLEFIELD"))
    for _ in range(20):
        frames = backend.step(held(2, stick_x=1.0))
    kept = words_i32(frames[1:].copy())
    frames = backend.reset(np.array([True, False]), np.stack([Matchup().row()] * 2), SEEDS)
    assert (words_i32(frames[1:]) == kept).all()
    assert frames["frame"].tolist() == [-39, -19]


def test_a_new_game_knows_nothing_of_the_one_before() -> None:
    played, fresh = SimBackend(1), SimBackend(1)
    rows, seeds, both = Matchup().row()[None], SEEDS[:1], np.ones(1, np.bool_)
    played.reset(both, rows, seeds + np.uint64(1))
    for _ in range(30):
        played.step(held(1, stick_x=1.0, buttons=256))
    for backend in (played, fresh):
        backend.reset(both, rows, seeds)
    assert played.save() == fresh.save()


def test_the_last_stock_ends_the_game_and_freezes_it() -> None:
    backend = started(Matchup(stocks=2))
    seen = []
    while not backend.done[0]:
        frames = backend.step(held(1, seat=0, stick_x=-1.0))
        seen.append(int(frames["players"]["stocks"][0, 0, 0]))
    assert sorted(set(seen)) == [0, 1, 2]
    result = backend.result[0]
    assert (result["ended_by"], result["winner"], result["stocks"].tolist()) == (EndedBy.STOCKS, 1, [0, 2])
    assert result["frames"] == len(seen)
    ended = backend.save()
    backend.step(held(1, stick_x=1.0))
    assert backend.save() == ended


def test_a_stock_lost_respawns_invincible_and_unhurt() -> None:
    backend = started(Matchup())
    while backend.step(held(1, seat=0, stick_x=-1.0))["players"]["stocks"][0, 0, 0] == 4:
        pass
    for _ in range(60 + 60):
        player = backend.step(held(1))["players"][0, 0, 0]
    assert player["x"] == 16
    assert player["y"] == pytest.approx(45, abs=1e-3)
    assert player["percent"] == 0
    stepped_off = backend.step(held(1, seat=0, stick_x=1.0))["players"][0, 0, 0]
    assert (stepped_off["action"], stepped_off["hurtbox"]) == (Action.FALLING.value, 1)


@pytest.mark.parametrize(
    ("stocks", "percent", "winner"),
    [
        ((4, 4), (0.0, 0.0), -1),
        ((4, 4), (10.0, 20.0), 0),
        ((4, 4), (20.5, 20.9), -1),
        ((2, 3), (0.0, 90.0), 1),
    ],
)
def test_time_ends_a_game_by_stocks_then_percent(
    stocks: tuple[int, int], percent: tuple[float, float], winner: int
) -> None:
    backend = started(Matchup(time_limit_s=1.0))
    backend._games["fighters"]["stocks"], backend._games["fighters"]["percent"] = stocks, percent
    frames = 0
    while not backend.done[0]:
        seen = backend.step(held(1))
        frames += 1
    assert frames == 39 + 60
    assert seen["frames_left"][0] == 0
    assert (backend.result[0]["ended_by"], backend.result[0]["winner"]) == (EndedBy.TIMER, winner)


def test_the_countdown_takes_no_input_and_the_starts_are_the_games_own() -> None:
    backend = started(Matchup(stage="BATTLEFIELD", countdown=True), Matchup(swap_start=True))
    frames = backend.step(held(2, stick_x=1.0))
    assert frames["players"]["x"][0, :, 0].tolist() == pytest.approx([-38.8, 38.8])
    assert frames["players"]["facing"][1, :, 0].tolist() == [-1, 1]
    for _ in range(82):
        frames = backend.step(held(2, stick_x=1.0))
    assert frames["frame"][0] == -40
    assert frames["players"]["x"][0, :, 0].tolist() == pytest.approx([-38.8, 38.8])
    assert backend.step(held(2, stick_x=1.0))["players"]["action"][0, 0, 0] != frames["players"]["action"][1, 0, 0]


def test_a_state_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="2 games"):
        SimBackend(2).restore(SimBackend(1).save())
    with pytest.raises(ValueError, match="at least 1"):
        SimBackend(0)
