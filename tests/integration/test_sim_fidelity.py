"""Predictions of recorded games: floors that only move up (measured share minus a little), and their honesty."""

from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from numpy.typing import NDArray

from envs.frame import LEADER
from envs.game import Action
from envs.sim.fidelity.predict import roll, rows_of
from envs.sim.fidelity.predictions import Predictions, predict_games
from envs.sim.fidelity.recording import Recording, read_recording
from envs.sim.fidelity.score import EXACT_UNITS, error_units, score
from exphil_league.cli.main import main

REPLAYS = os.environ.get("EXPHIL_REPLAYS")
CLEAN = Path(str(REPLAYS)) / "clean"
GAMES = (
    "20230430_battlefield_fox-vs-fox_1f0a3640.slp",
    "20220630_final_destination_fox-vs-falco_13b0acb1.slp",
    "20221228_final_destination_fox-vs-marth_e9d72044.slp",
)
TOO_OLD = "20201202_battlefield_luigi-vs-falco_f2839a4e.slp"
pytestmark = pytest.mark.skipif(REPLAYS is None, reason="EXPHIL_REPLAYS names no folder of recorded games")


@pytest.fixture(scope="module")
def made() -> Predictions:
    """Predictions one and ten frames ahead from every frame of GAMES."""
    return predict_games([CLEAN / name for name in GAMES], (1, 10))


def test_classes_stay_above_their_floors(made: Predictions) -> None:
    rows = made.rows[~made.rows["hit_in_window"]]
    figures = score(rows)["FOX"]
    assert figures["movement"]["n"] > 10_000
    assert figures["movement"]["k1_within_0_01"] > 0.97
    assert figures["movement"]["k1_action"] > 0.98
    assert figures["all"]["k1_within_0_01"] > 0.95


@pytest.mark.parametrize(
    ("states", "exact"),
    [
        (("DASHING",), 0.96),
        (("JUMPING_FORWARD", "FALLING"), 0.96),
        (("NAIR", "BAIR", "UAIR", "DAIR"), 0.96),
        (("SWORD_DANCE_4_MID",), 0.8),  # Firefox on its way
        (("DOWN_B_AIR",), 0.9),  # the reflector held in the air
    ],
)
def test_single_states_are_predicted(made: Predictions, states: tuple[str, ...], exact: float) -> None:
    rows = made.rows[(made.rows["k"] == 1) & ~made.rows["hit_in_window"]]
    chosen = rows[np.isin(rows["before"], [Action[name].value for name in states])]
    assert (error_units(chosen) < EXACT_UNITS).mean() > exact


def test_every_frame_of_every_seat_makes_a_row(made: Predictions) -> None:
    for index, name in enumerate(made.games):
        frames = read_recording(CLEAN / name).frames
        mine = made.rows[(made.rows["game"] == index) & (made.rows["k"] == 10)]
        for port in np.unique(mine["port"]):
            assert (mine["frame"][mine["port"] == port] == frames["frame"][:-10]).all()


@pytest.mark.parametrize("cut", [700, 3000])
def test_the_prediction_sees_nothing_after_its_frame(cut: int) -> None:
    """Only the controllers of later frames drive the game; what they recorded is not looked at."""
    recording = read_recording(CLEAN / GAMES[0])
    frames = recording.frames[: cut + 200].copy()
    whole = _rows(_with(recording, frames))
    spoiled = frames.copy()
    spoiled[cut + 1 :] = _scrambled(frames[cut + 1 :])
    spoiled["players"]["controller"] = frames["players"]["controller"]
    again = _rows(_with(recording, spoiled))
    now = whole["frame"] <= frames["frame"][cut]
    for name in ("x", "y", "action", "percent"):
        assert (whole[name][now].view(np.int32) == again[name][now].view(np.int32)).all()


def _rows(recording: Recording) -> NDArray[np.void]:
    return rows_of(roll(recording, (1, 10)), 0, (1, 10))


def _with(recording: Recording, frames: NDArray[np.void]) -> Recording:
    return Recording(recording.name, frames, recording.seats, recording.cpu)


def _scrambled(frames: NDArray[np.void]) -> NDArray[np.void]:
    """Later frames in which everybody does something else somewhere else."""
    out = np.roll(frames, 37).copy()
    out["players"]["x"][:, :, LEADER] += 40
    out["players"]["percent"] += 50
    out["frame"] = frames["frame"]
    return out


def test_the_command_reports_refuses_and_writes_rows(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "rows.parquet"
    paths = [str(CLEAN / GAMES[2]), str(CLEAN / TOO_OLD)]
    assert main(["sim", "fidelity", *paths, "--k", "1", "--rows", str(file), "--json"]) == 0
    captured = capsys.readouterr()
    result = json.loads(captured.out.splitlines()[-1])
    assert result["games"] == 1
    assert [(refused["game"], refused["reason"]) for refused in result["refused"]] == [(TOO_OLD, "version")]
    assert TOO_OLD in captured.err
    table = pq.read_table(file)
    assert table.num_rows == result["rows"] > 5000
    expected = ["game", "port", "frame", "k", "class", "hit_in_window", "cpu", "x", "y", "action", "percent"]
    assert table.column_names == expected
    parts = (result["characters"], result["hit_in_window"])
    assert sum(classes["all"]["n"] for part in parts for classes in part.values()) == table.num_rows
