"""A simulated game becomes a .slp file that our reader and libmelee read back equal."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.backends import make_backend
from envs.controller import PART_SIZES, decode
from envs.frame import FRAME, words_i32
from envs.slippi.game import EndMethod
from envs.slippi.read import read_game
from envs.slippi.write import ended, meta_from_frame, write_game
from tests.libmelee_state import check_items, check_player, open_console

MATCHUPS = (Matchup(stocks=1, time_limit_s=60), Matchup(stage="BATTLEFIELD", time_limit_s=5, countdown=True))


@pytest.fixture(scope="module")
def games() -> list[tuple[NDArray[np.void], NDArray[np.void]]]:
    """(frames [T], result) of one game for each of MATCHUPS, played with arbitrary inputs."""
    backend = make_backend("sim", len(MATCHUPS))
    rows = np.stack([matchup.row() for matchup in MATCHUPS])
    rng = np.random.default_rng(3)
    frames = [[f.copy()] for f in backend.reset(np.ones(len(rows), bool), rows, np.array([5, 6], np.uint64))]
    while not backend.done.all():
        parts = np.stack([rng.integers(0, size, (len(rows), 2)) for size in PART_SIZES], axis=-1)
        running = ~backend.done
        for game, frame in enumerate(backend.step(decode(parts))):
            if running[game]:
                frames[game].append(frame.copy())
    results = backend.result.copy()
    backend.close()
    return [(np.array(f, FRAME), result) for f, result in zip(frames, results, strict=True)]


@pytest.mark.parametrize("game", range(len(MATCHUPS)))
def test_a_simulated_game_reads_back_equal(tmp_path: Path, games: list, game: int) -> None:
    frames, result = games[game]
    meta = ended(meta_from_frame(frames[0], ("left", "right")), result)
    write_game(tmp_path / "game.slp", frames, meta)
    again = read_game(tmp_path / "game.slp")
    assert (words_i32(again.frames) == words_i32(frames)).all()
    assert again.meta == meta
    assert meta.end_method in (EndMethod.GAME, EndMethod.TIME)
    console = open_console(tmp_path / "game.slp")
    for frame in frames:
        state = console.step()
        assert state.frame == frame["frame"]
        for seat, port in enumerate(frame["ports"]):
            check_player(state.players[port + 1], frame["players"][seat, 0], console, meta.version)
        check_items(state.projectiles, frame["items"])
    assert console.step() is None


def test_the_clock_runs_from_frame_zero(games: list) -> None:
    frames, _ = games[1]
    assert frames["frame"][0] == -123
    assert (frames["frames_left"] == 300 - np.maximum(frames["frame"], 0)).all()
