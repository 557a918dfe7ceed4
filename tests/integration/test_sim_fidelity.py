"""Predictions of recorded games: floors that only move up (measured share minus a little), and their honesty."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from envs.game import Action
from envs.sim.fidelity.classes import CLASSES, classify
from envs.sim.fidelity.floors import fallen, raise_floors, reached, read_floors
from envs.sim.fidelity.predict import roll
from envs.sim.fidelity.predictions import Predictions, predict_games
from envs.sim.fidelity.recording import Recording, read_recording
from envs.sim.fidelity.report import report
from envs.sim.fidelity.score import EXACT_UNITS, error_units, score
from envs.sim.fidelity.split import HALVES, half_of
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


def test_hits_and_exchanges_stay_above_their_floors(made: Predictions) -> None:
    figures = report(made)
    assert figures["hits"]["n"] > 150
    assert figures["hits"]["launch_within_0_2pct"] > 0.95
    assert figures["hits"]["hitlag_exact"] > 0.97
    assert figures["hits"]["hitstun_exact"] > 0.97
    assert figures["contact"]["n"] > 100
    assert figures["contact"]["recall"] > 0.85
    assert figures["contact"]["false_hits"] < 0.06
    assert figures["combat"]["percent_exact"] > 0.6
    assert figures["combat"]["victim_within_1"] > 0.6


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


@settings(max_examples=12, deadline=None)
@given(cut=st.integers(30, 360), seed=st.integers(0, 2**32 - 1))
def test_the_prediction_sees_nothing_after_its_frame(stretch: Recording, cut: int, seed: int) -> None:
    """Only the controllers of later frames drive the game; whatever else they recorded changes no prediction."""
    frames = stretch.frames
    spoiled = replace(stretch, frames=_spoiled(frames, cut, np.random.default_rng(seed)))
    for whole, again in zip(_words(stretch), _words(spoiled), strict=True):
        assert (whole[: cut + 1] == again[: cut + 1]).all()


@pytest.fixture(scope="module")
def stretch() -> Recording:
    """Seven seconds of a game, with hits, shields and ledges in them."""
    recording = read_recording(CLEAN / GAMES[0])
    return replace(recording, frames=recording.frames[600:1020].copy())


def _words(recording: Recording) -> list[NDArray[np.int32]]:
    """Words of the seeded games [T, ...] and of both leaders one and ten frames ahead [T - k, ...]."""
    rolled = roll(recording, (1, 10))
    return [made.view(np.int32).reshape(len(made), -1) for made in (rolled.games, *rolled.predicted.values())]


def _spoiled(frames: NDArray[np.void], cut: int, rng: np.random.Generator) -> NDArray[np.void]:
    """The same controllers, but after row `cut` everybody does something else somewhere else."""
    out = frames.copy()
    out[cut + 1 :] = frames[rng.integers(0, len(frames), len(frames) - cut - 1)]
    players = out["players"][cut + 1 :]
    for name, most in (("x", 90), ("y", 40), ("percent", 150), ("hitlag", 9), ("speed_air_x", 3), ("shield", 60)):
        players[name] = rng.uniform(0, most, players[name].shape)
    players["action"] = rng.integers(14, 340, players["action"].shape)
    players["stocks"] = rng.integers(1, 5, players["stocks"].shape)
    out["players"]["controller"], out["frame"] = frames["players"]["controller"], frames["frame"]
    return out


@pytest.mark.slow
def test_no_figure_falls_below_its_floor() -> None:
    """Every class of at least 300 rows, every character, both halves of the split; raise with --raise-floors."""
    floors = read_floors()
    assert all(len(floors[half]) > 100 for half in HALVES)
    made = predict_games(sorted(CLEAN.glob("*.slp")), (1, 10))
    assert {name for name in made.games if half_of(name)} == set(made.games)
    assert fallen(reached(made), floors) == []


def test_floors_only_rise(tmp_path: Path) -> None:
    file = tmp_path / "floors.json"
    assert raise_floors({"tune": {"FOX/all/k1_action": 0.9}, "report": {}}, file) == 1
    assert raise_floors({"tune": {"FOX/all/k1_action": 0.8}, "report": {"hits/all/hitlag_exact": 0.5}}, file) == 1
    floors = read_floors(file)
    assert floors == {"tune": {"FOX/all/k1_action": 0.9}, "report": {"hits/all/hitlag_exact": 0.5}}
    assert fallen({"tune": {"FOX/all/k1_action": 0.89}, "report": {}}, floors) == [
        "tune: FOX/all/k1_action is 0.890, its floor 0.900"
    ]


def test_every_state_has_one_class() -> None:
    actions = np.arange(400, dtype=np.int32)
    known = {"STANDING": "movement", "NAIR": "movement", "FSMASH_MID": "attack", "EDGE_HANGING": "roll_tech_ledge"}
    known |= {"THROW_UP": "specials_throws", "SHIELD_STUN": "shield", "TUMBLING": "damage", "DEAD_UP": "other"}
    classes = classify(actions)
    for state, name in known.items():
        assert CLASSES[classes[Action[state].value]] == name


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
