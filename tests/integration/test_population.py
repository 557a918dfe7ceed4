"""Rounds of a population over real leagues and run folders: carried out once, whatever kills them in between."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from exphil_league import run_folder
from exphil_league.config.loader import load_recipe
from exphil_league.config.population import PopulationConfig
from exphil_league.config.recipe import Recipe
from exphil_league.errors import UserError
from exphil_league.league.model import Roster
from exphil_league.league.service import LocalLeague
from exphil_league.observe.report_population import population_curves
from exphil_league.population import members as rounds
from exphil_league.population import tournament
from exphil_league.population.members import Member, Population
from exphil_league.population.tournament import Entrant, Points
from exphil_league.rl.shared import share
from exphil_league.train import TrainRequest, train
from policies.scripted import scripted_digest
from tests.rl_play import small_recipe

PLAYERS = ("main", "main_exploiter")
RANGES = {"learning_rate": (1e-4, 1e-3), "reward.damage": (0.005, 0.05)}


@pytest.fixture(autouse=True)
def _games_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Outcomes by the seed of the round alone."""

    def play(recipe: Recipe, entrants: list[Entrant], yardsticks: list[Entrant], load: Any, seed: int) -> Points:
        points, rng = Points(), np.random.default_rng(seed)
        for one, other in tournament.pairings(entrants, yardsticks):
            won = float(rng.integers(0, 21))
            points.won[one.name, other.name], points.won[other.name, one.name] = won, 20 - won
        return points

    monkeypatch.setattr(tournament, "play", play)


class Played:
    """A population whose training is made up: every player publishes a digest of its own before each round."""

    def __init__(self, folder: Path) -> None:
        population = PopulationConfig(members=4, ranges=RANGES, quantile=0.5, confidence_z=0.0)
        recipe = small_recipe().model_copy(update={"population": population})
        self.run = run_folder.create(folder, recipe, None)
        self.leagues: dict[str, LocalLeague] = {}
        found = {}
        for k in range(4):
            name = f"member_{k}"
            home = run_folder.create(self.run.members / name, small_recipe(), None)
            league = LocalLeague(home.root, recipe.league_setup(), k, clock=lambda: 0.0)
            league.enrol(Roster("start", {"random": scripted_digest("random")}, "anchors"))
            self.leagues[name] = league
            found[name] = Member(name, home, small_recipe(), share(str(home.root), league))
        self.population = Population(self.run, recipe, found)

    def train(self, number: int) -> None:
        for name, league in self.leagues.items():
            for player in PLAYERS:
                digest = f"{player}.{name}.{number}"
                (self.population.members[name].run.checkpoints / digest).mkdir()
                league.publish(player, digest, 100 * number)

    def next_round(self, number: int) -> None:
        self.train(number)
        self.population.next_round(list(self.leagues), 10 * number)

    def digests(self) -> dict[tuple[str, str], str]:
        return {(n, p): league.learner(p).player.digest for n, league in self.leagues.items() for p in PLAYERS}


def test_rounds_move_weights_and_numbers_as_the_ledger_says(tmp_path: Path) -> None:
    played = Played(tmp_path / "run")
    played.population.begin()
    exchanged = 0
    for number in range(1, 5):
        played.next_round(number)
        entry = played.population.ledger.rounds[number]
        moved = {(e["receiver"], e["player"]): e["donor"] for e in entry["exploits"]}
        exchanged += len(moved)
        for (name, player), digest in played.digests().items():
            assert digest == f"{player}.{moved.get((name, player), name)}.{number}"
            assert (played.population.members[name].run.checkpoints / digest).is_dir()
        for name, member in played.population.members.items():
            now = member.run.load_recipe().ppo
            for player in PLAYERS:
                numbers = {key: now.of(player).value_of(key) for key in RANGES}
                assert numbers == pytest.approx(entry["values"][name][player])
    assert exchanged > 4
    charts = {chart["title"]: chart for chart in population_curves(played.population.ledger.rounds, ["main"])}
    assert len(charts) == len(PLAYERS) * (1 + len(RANGES))
    (line,) = (s for s in charts["Population: reward.damage of main"]["series"] if s["label"] == "member_2")
    numbers = [found["values"]["member_2"]["main"]["reward.damage"] for found in played.population.ledger.rounds]
    assert line["points"] == [[200.0 * number, value] for number, value in enumerate(numbers)]
    assert charts["Population: fitness of main"]["help"].count(" in round ") > 0
    for league in played.leagues.values():
        for row in league.lineage()["players"]:
            if row["role_of"] is not None:
                assert row["digest"] == "start" or row["digest"].startswith(f"{row['role_of']}.")
        assert all(edge["reason"] != "reset" for edge in league.lineage()["edges"])


@pytest.mark.parametrize("step", ["copy_checkpoint", "donor_of", "dump"])
def test_a_round_that_was_killed_is_carried_out_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    straight, killed = Played(tmp_path / "straight"), Played(tmp_path / "killed")
    for played in (straight, killed):
        played.population.begin()
        played.next_round(1)
    straight.next_round(2)
    with monkeypatch.context() as patch:
        patch.setattr(rounds, step, after_calls(1, getattr(rounds, step)))
        with pytest.raises(KeyboardInterrupt):
            killed.next_round(2)
    assert len(killed.population.ledger.rounds[2]["exploits"]) > 1
    for _ in range(2):
        killed.population.begin()
    assert killed.digests() == straight.digests()
    assert killed.population.ledger.rounds == straight.population.ledger.rounds
    for name in killed.leagues:
        assert killed.leagues[name].lineage() == straight.leagues[name].lineage()


def after_calls(count: int, function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, interrupted when it has been called so often."""
    calls = []

    def called(*arguments: Any) -> Any:
        calls.append(1)
        if len(calls) > count:
            raise KeyboardInterrupt
        return function(*arguments)

    return called


def test_a_fresh_exploiter_neither_gives_nor_takes(tmp_path: Path) -> None:
    """Its league has just reset it: what the others learnt in the whole round it had no time for."""
    played = Played(tmp_path / "run")
    played.population.begin()
    played.train(1)
    for name in ("member_1", "member_2", "member_3"):
        league = played.leagues[name]
        decision = league.maybe_snapshot("main_exploiter", f"main_exploiter.{name}.1", 5000)
        assert decision is not None
        assert decision.reset_player is not None
    played.population.next_round(list(played.leagues), 10)
    players = {exploit["player"] for exploit in played.population.ledger.rounds[1]["exploits"]}
    assert players == {"main"}


def test_the_best_member_is_chosen_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    played = Played(tmp_path / "run")
    played.population.begin()
    played.next_round(1)
    chosen = played.population.choose()
    last = played.population.ledger.rounds[-1]
    assert last["fitness"]["main"][chosen["member"]]["value"] == max(
        f["value"] for f in last["fitness"]["main"].values()
    )
    assert chosen["env_frames"] == 4 * 2 * 100
    monkeypatch.setattr(tournament, "play", None)
    assert played.population.choose() == chosen


@pytest.mark.parametrize(
    ("sets", "words"),
    [
        (["population.members=1"], "population: a population has two members or more, not 1"),
        (["population.members=-2"], "population.members: -2 is out of range, it must be at least 0"),
        (["population.ranges={learning_rat: [1, 2]}"], "no hyperparameter 'learning_rat'; did you mean learning_rate?"),
        (["population.ranges={reward.damge: [1, 2]}"], "no hyperparameter 'reward.damge'; did you mean reward.damage?"),
        (["population.ranges={learning_rate: [0.01, 0.001]}"], "comes first; write [0.001, 0.01]"),
        (["population.ranges={entropy_weight: [0, 0.1]}"], "the lower bound, above 0, comes first"),
        (["population.ranges={learning_rate: [0.01, 0.1]}"], "main begins with 0.0003, outside"),
        (["population.quantile=0.7"], "population.quantile: 0.7 is out of range, it must be at most 0.5"),
        (["population.member=3"], "unknown key population.member; did you mean population.members?"),
    ],
)
def test_mistakes_are_named(sets: list[str], words: str) -> None:
    with pytest.raises(UserError) as caught:
        load_recipe("pbt", sets)
    assert words in str(caught.value)


def test_a_population_without_anything_to_tune_is_refused() -> None:
    with pytest.raises(UserError, match=r"population: ranges is empty: say what is tuned"):
        load_recipe("smoke", ["population.members=2"])


def test_a_serial_population_is_refused() -> None:
    with pytest.raises(UserError, match="leave out --serial"):
        train(TrainRequest(recipe="pbt", serial=True))
