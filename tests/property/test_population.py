"""What a round of a population may decide, over random populations; and whom a league lets a learner go on from."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from exphil_league.config.league import LeagueSetup
from exphil_league.config.population import HYPERPARAMETERS, PopulationConfig
from exphil_league.config.ppo import PPOConfig
from exphil_league.league.core import League
from exphil_league.league.model import Donor, PlayerKind, Reason, Roster
from exphil_league.league.state import fold
from exphil_league.population.evolution import Fitness, evolve, first_values
from exphil_league.population.tournament import Entrant, Points, Scale, fitness, pairings

PLAYERS = ("main", "main_exploiter", "league_exploiter")
FLOATS = st.floats(-1000, 1000)


@st.composite
def populations(draw: st.DrawFn) -> tuple[PopulationConfig, dict[str, dict[str, Fitness]], int]:
    ranges = {
        name: (low := 10.0 ** draw(st.integers(-5, 0)), low * draw(st.floats(1.01, 100.0)))
        for name in draw(st.lists(st.sampled_from(HYPERPARAMETERS), min_size=1, max_size=4, unique=True))
    }
    config = PopulationConfig(
        members=draw(st.integers(2, 9)),
        ranges=ranges,
        quantile=draw(st.floats(0.05, 0.5)),
        confidence_z=draw(st.sampled_from([0.0, 1.0, 3.0])),
        resample=draw(st.sampled_from([0.0, 0.5, 1.0])),
    )
    found = {
        player: {
            f"member_{k}": Fitness(draw(FLOATS), draw(st.floats(0, 300)), 8)
            for k in range(config.members)
            if draw(st.booleans()) or draw(st.booleans())  # a freshly reset exploiter is left out
        }
        for player in PLAYERS
    }
    return config, found, draw(st.integers(0, 2**31))


@settings(deadline=None, max_examples=150)
@given(populations())
def test_a_round_moves_players_within_their_role_and_numbers_within_their_ranges(population) -> None:
    config, found, seed = population
    drawn = first_values(config, PPOConfig(), PLAYERS, seed)
    before = {f"member_{k}": values for k, values in enumerate(drawn)}
    after = evolve(config, found, before, np.random.default_rng(seed))
    assert after == evolve(config, found, before, np.random.default_rng(seed)), "one seed, one decision"
    moved = {(exploit.player, exploit.receiver) for exploit in after.exploits}
    assert len(moved) == len(after.exploits)
    for player, receiver, donor in after.exploits:
        worse, better = found[player][receiver], found[player][donor]
        assert better.value - worse.value > config.confidence_z * math.hypot(better.sd, worse.sd)
        assert (player, donor) not in moved, "whoever gives keeps its own"
    for player in PLAYERS:
        most = math.ceil(len(found[player]) * config.quantile)
        assert sum(player == mine for mine, _ in moved) <= min(most, len(found[player]) // 2)
    for member, values in after.values.items():
        for player in PLAYERS:
            if (player, member) not in moved:
                assert values[player] == before[member][player]
                continue
            for name, value in values[player].items():
                low, high = config.ranges[name]
                assert low * (1 - 1e-12) <= value <= high * (1 + 1e-12)


def test_numbers_taken_over_are_a_step_from_the_donors() -> None:
    config = PopulationConfig(
        members=2, ranges={"learning_rate": (1e-6, 1.0)}, quantile=0.5, confidence_z=0, resample=0
    )
    before = {"member_0": {"main": {"learning_rate": 1e-3}}, "member_1": {"main": {"learning_rate": 1e-2}}}
    found = {"main": {"member_0": Fitness(1, 0, 8), "member_1": Fitness(0, 0, 8)}}
    seen = {
        round(evolve(config, found, before, np.random.default_rng(seed)).values["member_1"]["main"]["learning_rate"], 9)
        for seed in range(20)
    }
    assert seen == {round(1e-3 * 1.2, 9), round(1e-3 / 1.2, 9)}


def test_the_first_member_begins_as_the_recipe_says_and_players_differ() -> None:
    config = PopulationConfig(members=3, ranges={"learning_rate": (1e-4, 1e-3), "reward.damage": (0.001, 0.1)})
    ppo = PPOConfig(players={"main_exploiter": {"learning_rate": 5e-4, "reward": {"damage": 0.02}}})
    first, *others = first_values(config, ppo, PLAYERS, seed=1)
    assert first["main"] == {"learning_rate": 3e-4, "reward.damage": 0.01}
    assert first["main_exploiter"] == {"learning_rate": 5e-4, "reward.damage": 0.02}
    drawn = [values[player]["learning_rate"] for values in others for player in PLAYERS]
    assert len(set(drawn)) == 6
    own = ppo.with_numbers(others[0])
    assert {player: own.of(player).learning_rate for player in PLAYERS} == {
        player: others[0][player]["learning_rate"] for player in PLAYERS
    }
    assert own.of("main").reward.damage == others[0]["main"]["reward.damage"]


def entrants() -> tuple[list[Entrant], list[Entrant]]:
    mains = [Entrant(f"member_{k}", "main", PlayerKind.MAIN, f"m{k}") for k in range(3)]
    exploiters = [Entrant(f"member_{k}", "main_exploiter", PlayerKind.MAIN_EXPLOITER, f"e{k}") for k in range(3)]
    return mains + exploiters, [Entrant("", "attacker", PlayerKind.ANCHOR, "a")]


def test_an_exploiter_is_measured_against_everybodys_main_player() -> None:
    """Exploiter 0 beats its own weak main player ten times in ten and nobody else; exploiter 1 beats all six times."""
    found, yardsticks = entrants()
    points = Points()
    for one, other in pairings(found, yardsticks):
        against = {"m1": 0.7, "m2": 0.4}.get(other.digest, 1.0)
        strength = {"m0": 0.2, "m1": 0.5, "m2": 0.8}.get(one.digest, 0.5) * against
        if one.player == "main_exploiter":
            strength = {"e0": 1.0 if other.digest == "m0" else 0.0, "e1": 0.6, "e2": 0.3}[one.digest]
        points.won[one.name, other.name], points.won[other.name, one.name] = 10 * strength, 10 * (1 - strength)
    measured = fitness(found, yardsticks, points, Scale("attacker", 1000.0, 400.0))
    assert {player: {one.games for one in of.values()} for player, of in measured.items()} == {
        "main": {10 + 20},
        "main_exploiter": {30},
    }, "all of a role play as many games"
    mains, exploiters = measured["main"], measured["main_exploiter"]
    assert mains["member_0"].value < mains["member_1"].value < mains["member_2"].value
    assert max(exploiters, key=lambda member: exploiters[member].value) == "member_1"


def new_league() -> League:
    league = League(LeagueSetup(), np.random.default_rng(1), lambda: 0.0)
    league.enrol(Roster(warm_start="w", anchors={"attacker": "scripted:attacker@1"}, anchor_digest="x"))
    return league


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.sampled_from(("main", "main_exploiter")), st.sampled_from(("train", "adopt"))), max_size=25)
)
def test_a_league_goes_on_from_players_of_the_same_role_alone(steps: list[tuple[str, str]]) -> None:
    league, frames = new_league(), {"main": 0, "main_exploiter": 0}
    events = league.drain()
    for number, (player, what) in enumerate(steps, 1):
        kind = PlayerKind(player)
        if what == "train":
            frames[player] += 1_100_000
            league.maybe_snapshot(player, f"{player}-{number}", frames[player])
            continue
        donor = Donor("member_1", player, kind, f"{player}-of-1-{number}", 7 * number, number)
        stranger = next(name for name in frames if name != player)
        for wrong in (
            dataclasses.replace(donor, kind=PlayerKind(stranger)),
            dataclasses.replace(donor, player=stranger),
        ):
            with pytest.raises(ValueError, match="cannot go on from"):
                league.adopt(player, wrong)
        before = league.learner(player)
        league.adopt(player, donor)
        league.adopt(player, donor)
        now = league.learner(player)
        assert (now.player.digest, now.player.parent) == (donor.digest, donor.frozen.player_id)
        assert (now.generation, now.player.reason) == (before.generation + 1, Reason.PBT)
        assert league.player(donor.frozen.player_id).digest == donor.digest
        assert before.player.digest in {p.digest for p in league.state.players.values() if p.frozen}, "its own stays"
    events += league.drain()
    assert fold(events) == league.state
    for player in league.state.players.values():
        line, at = [], player
        while at.parent is not None:
            assert at.player_id not in line
            line.append(at.player_id)
            at = league.state.players[at.parent]
    for name in frames:
        own = [p for p in league.state.players.values() if p.role_of == name]
        assert all(p.digest == "w" or p.digest.startswith(f"{name}-") for p in own), "only weights of its own role"
