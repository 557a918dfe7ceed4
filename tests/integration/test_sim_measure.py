"""Measuring: a simulated recording gives back the table it was played with, a wrong table is named."""

from __future__ import annotations

import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.game import Action, character_id
from envs.sim.batch import SimBackend
from envs.sim.compile import CHARACTERS, tables
from envs.sim.fidelity.measure import Disagreement, Measured, disagreements, measure, recorded_games
from exphil_league.bench.sim import sticky_inputs
from exphil_league.cli.sim_measure import run_measure
from exphil_league.replays.scan import replay_files

REPLAYS = os.environ.get("EXPHIL_REPLAYS")
GAMES, FRAMES = 48, 1200
EXACT = ("attributes.", "lengths.", "turns.", "landing_lags.", "displacements.")
"""Groups of numbers that a random game shows often enough to be exact."""


def record(character: str) -> NDArray[np.void]:
    """Frames [T, N] of random games of a character against itself."""
    backend = SimBackend(GAMES)
    matchup = Matchup(characters=(character, character), stage="FINAL_DESTINATION").row()
    rng = np.random.default_rng(7)
    inputs = sticky_inputs(rng, FRAMES, GAMES)
    backend.reset(np.ones(GAMES, np.bool_), np.stack([matchup] * GAMES), rng.integers(0, 2**63, GAMES, np.uint64))
    return np.stack([backend.step(inputs[step]).copy() for step in range(FRAMES)])


def table_of(character: str) -> NDArray[np.void]:
    known = tables()[0]["characters"]
    return known[[int(c) for c in known["character"]].index(character_id(character))]


@pytest.fixture(scope="module")
def fox() -> Measured:
    return measure(iter(record("FOX").swapaxes(0, 1)), character_id("FOX"))


def exact(found: list[Disagreement]) -> list[Disagreement]:
    return [row for row in found if row.name.startswith(EXACT)]


def test_a_simulated_recording_gives_back_the_table(fox: Measured) -> None:
    assert exact(disagreements(fox, table_of("FOX"))) == []
    assert {"gravity", "terminal", "fast_fall", "drift_stick", "run_max", "jump_v", "hop_v", "double_h"} <= set(
        fox.attributes
    )
    assert fox.attributes["gravity"].value == pytest.approx(float(table_of("FOX")["gravity"]), abs=1e-4)
    assert fox.lengths["KNEE_BEND"].value == 3


@pytest.mark.parametrize(
    ("name", "state", "field", "wrong"),
    [
        ("attributes.gravity", None, "gravity", 0.21),
        ("attributes.jump_h", None, "jump_h", 0.7),
        ("lengths.KNEE_BEND", Action.KNEE_BEND, "length", 4),
        ("lengths.ROLL_FORWARD", Action.ROLL_FORWARD, "length", 28),
        ("turns.ROLL_FORWARD", Action.ROLL_FORWARD, "turn_age", 0),
        ("intangible.SPOTDODGE.to", Action.SPOTDODGE, "intangible_to", 17),
    ],
)
def test_a_wrong_number_is_named(fox: Measured, name: str, state: Action | None, field: str, wrong: float) -> None:
    record = table_of("FOX").copy()
    if state is None:
        record[field] = wrong
    else:
        record["states"][state.value][field] = wrong
    named = {row.name: row.table for row in disagreements(fox, record)}
    assert named[name] == wrong


def test_files_without_the_character_are_counted(tmp_path: Path) -> None:
    (tmp_path / "broken.slp").write_bytes(b"no replay")
    refused = Counter[str]()
    assert list(recorded_games(replay_files(tmp_path), refused)) == []
    assert refused.total() == 1


@pytest.mark.skipif(REPLAYS is None, reason="EXPHIL_REPLAYS names no folder of recorded games")
@pytest.mark.slow
@pytest.mark.parametrize("character", CHARACTERS)
def test_recorded_games_bear_out_the_attributes(character: str) -> None:
    found = run_measure((Path(str(REPLAYS)) / "clean",), character)
    wrong = [row for row in found["disagreements"] if row["name"].startswith("attributes.") and row["samples"] >= 20]
    assert wrong == []
