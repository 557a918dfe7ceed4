"""The promotion gate: who passes, who is refused though it wins, and what becomes of the top agent."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from envs.backend import Matchup
from envs.controller import NEUTRAL_PARTS
from envs.frame import LEADER
from envs.game import Action
from exphil_league.cli.main import main
from exphil_league.config.league import SnapshotConfig
from exphil_league.config.promotion import PromotionConfig
from exphil_league.evaluation.score import Score
from exphil_league.promotion import gate
from exphil_league.promotion.checks import Arm, all_checks
from exphil_league.promotion.conduct import Conduct
from exphil_league.promotion.suite import Contestant, Games, Suite, Verdict
from exphil_league.run_folder import RunFolder, create
from policies.agent import SeatView
from policies.scripted import make_scripted, scripted_digest
from tests.rl_play import found_league, small_recipe

LENIENT = PromotionConfig(games=16, games_vs_warm_start=24, max_action_distance=1.0, max_aerials_ratio=50.0)
GAMES = Games("sim", [Matchup(stocks=1, time_limit_s=30.0)], at_once=24, seed=5)


class Staller:
    """Fights until it is ahead, then lets the clock win: it holds still in the air of its lead."""

    name, digest = "staller", "staller"

    def __init__(self, capacity: int, seed: int) -> None:
        self.capacity = capacity
        self._fighter = make_scripted("fighter", capacity, seed)

    def reset(self, columns: NDArray[np.int64]) -> None:
        self._fighter.reset(columns)

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        parts = self._fighter.act(view, columns)
        percent = view.frames["players"]["percent"][:, :, LEADER]
        rows = np.arange(len(columns))
        ahead = percent[rows, 1 - view.seats] - percent[rows, view.seats] > 20.0
        parts[ahead] = NEUTRAL_PARTS
        return parts


def scripted(name: str) -> Contestant:
    return Contestant(name, scripted_digest(name), partial(make_scripted, name))


def failed(verdict: Verdict) -> set[str]:
    return {check.name for check in verdict.checks if not check.ok}


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Suite:
    return Suite(GAMES, tmp_path_factory.mktemp("gate") / "games.json")


def test_a_stronger_player_passes(suite: Suite) -> None:
    verdict = suite.judge(LENIENT, scripted("fighter"), scripted("walker"), [scripted("idle")])
    assert failed(verdict) == set()


def test_a_winner_by_the_clock_is_refused(suite: Suite) -> None:
    """It beats the prior as surely as the fighter does; only its conduct gives it away."""
    staller = Contestant("staller", "staller", Staller)
    verdict = suite.judge(LENIENT, staller, scripted("walker"), [scripted("idle")])
    measured = {check.name: check for check in verdict.checks}
    assert measured["beats_warm_start"].ok
    assert "timer_excess" in failed(verdict)


def test_series_that_were_played_are_not_played_again(suite: Suite, monkeypatch: pytest.MonkeyPatch) -> None:
    suite.series(scripted("walker"), scripted("walker"), 24)
    monkeypatch.setattr("exphil_league.promotion.suite.make_backend", None)
    score, conduct = Suite(GAMES, suite._kept).series(scripted("walker"), scripted("walker"), 24)
    assert score.games == 24
    assert conduct.frames > 0


def score(rate: float, games: int = 400) -> Score:
    wins = round(rate * games)
    return Score(games, wins, 0, games - wins, 0, rate, rate - 0.04, rate + 0.04, 0.0, games)


def conduct(**habits: float) -> Conduct:
    """3,600 frames, by default a tenth of them in aerials, ten games of 1,000 frames."""
    found = Conduct()
    aerials = np.repeat([Action.NAIR.value, Action.STANDING.value], 6)
    ledge = np.full(int(3600 * habits.get("ledge", 0.0)), Action.EDGE_HANGING.value)
    rest = np.full(3600 - 360 - len(ledge), int(habits.get("rest", Action.STANDING.value)))
    found.add_actions(np.concatenate([np.tile(aerials, 30)[: int(360 * habits.get("aerials", 1.0))], ledge, rest]))
    found.lengths, found.timer_ends = [int(habits.get("length", 1000))] * 10, int(habits.get("timer", 0))
    return found


@pytest.mark.parametrize(
    ("name", "own", "habits"),
    [
        ("ledge_excess", {}, {"ledge": 0.3}),
        ("timer_excess", {}, {"timer": 2}),
        ("length_ratio", {}, {"length": 2500}),
        ("aerials_ratio", {}, {"aerials": 0.0}),
        ("action_distance", {}, {"rest": float(Action.SHIELD.value)}),
        ("not_worse_against/attacker", {"attacker": 0.1}, {}),
        ("beats_warm_start", {"warm_start": 0.52}, {}),
        ("control", {"control": 0.65}, {}),
    ],
)
def test_each_check_refuses_what_it_is_there_for(name: str, own: dict[str, float], habits: dict[str, float]) -> None:
    config = PromotionConfig()

    def checks(rates: dict[str, float], habits: dict[str, float]) -> set[str]:
        found = all_checks(
            config,
            Arm({"attacker": score(rates.get("attacker", 0.4))}, conduct(**habits)),
            Arm({"attacker": score(0.3)}, conduct()),
            score(rates.get("warm_start", 0.7)),
            score(rates.get("control", 0.5)),
        )
        return {check.name for check in found if not check.ok}

    assert checks({}, {}) == set()
    assert checks(own, habits) == {name}


def judged_run(folder: Path) -> tuple[RunFolder, list[str]]:
    """A run whose main player was frozen twice; returns both names."""
    recipe = small_recipe().model_copy(
        update={"promotion": PromotionConfig(opponents=(), games=2, games_vs_warm_start=2)}
    )
    recipe = recipe.model_copy(
        update={"league": recipe.league.model_copy(update={"snapshot": SnapshotConfig(min_frames=1, timeout_frames=1)})}
    )
    run = create(folder, recipe, None)
    league, start = found_league(run.root, recipe)
    names = [league.freeze("main", start, frames).snapshot.player_id for frames in (10, 20)]
    league.close()
    return run, names


def test_a_refused_agent_leaves_the_one_before_it_in_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, (first, second) = judged_run(tmp_path / "run")
    good = {"low": 0.6}

    def judge(
        self: Suite, config: PromotionConfig, candidate: Contestant, prior: Contestant, others: object
    ) -> Verdict:
        against = Score(**{**vars(score(0.7)), **good})
        checks = all_checks(config, Arm({}, conduct()), Arm({}, conduct()), against, score(0.5))
        return Verdict(tuple(checks), conduct(), conduct())

    monkeypatch.setattr(Suite, "judge", judge)
    good["low"] = 0.4
    found = gate.promote(run.root, first)
    assert (found["promoted"], found["top"]) == (False, "warm_start")
    assert "beats_warm_start is 0.400, not at least 0.500" in found["reason"]
    good["low"] = 0.6
    assert gate.promote(run.root, first)["top"] == first
    content = run.agent.read_bytes()
    good["low"] = 0.4
    assert main(["promote", "--run", str(run.root), "--json"]) == 1
    refused = json.loads(run.promotion.read_text())
    assert (refused["candidate"], refused["promoted"], refused["top"]) == (second, False, first)
    assert run.agent.read_bytes() == content
    good["low"] = 0.6
    assert main(["promote", "--run", str(run.root)]) == 0
    assert json.loads(run.promotion.read_text())["top"] == second
