"""`league verify`: the shipped core keeps every rule, and every wrong league is named for what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from exphil_league.cli.main import main
from exphil_league.config.league import Weighting
from exphil_league.errors import UserError
from exphil_league.league.core import League
from exphil_league.league.model import Outcome
from exphil_league.verification import conformance, effect
from exphil_league.verification.contract import SHIPPED, CoreClass, load_core
from exphil_league.verification.games import blotto, trapdoor
from exphil_league.verification.rules import RULES, Rule
from exphil_league.verification.scripts import (
    FRAMES,
    LEARNERS,
    WAITS_S,
    Expire,
    Learn,
    Rate,
    Report,
    Request,
    Resume,
    Script,
    Tamper,
    Wait,
    random_script,
)
from exphil_league.verification.suite import breaches, judge
from exphil_league.verification.trace import Trace, rehearse
from tests.mutants.declared import DECLARED
from tests.mutants.further import FURTHER, LeagueExploiterSquared
from tests.mutants.seeded import SEEDED, InvertedPfsp, OpponentsTrained

COUNT = st.integers(1, 4)
REQUESTS = st.builds(Request, st.just("main"), st.sampled_from([None, 1, 2]), COUNT) | st.builds(
    Request, st.sampled_from(LEARNERS[1:]), st.just(1), COUNT
)
REPORTS = st.builds(
    Report, st.integers(0, 500), st.sampled_from(Outcome), st.integers(1, 3), st.sampled_from([Tamper.NONE, *Tamper])
)
LEARNING = st.builds(Learn, st.sampled_from(LEARNERS), st.sampled_from(FRAMES), st.booleans())
TIME = st.builds(Wait, st.sampled_from(WAITS_S)) | st.just(Expire()) | st.just(Resume())
SCRIPTS = st.lists(
    REQUESTS | REPORTS | REPORTS | LEARNING | TIME | st.builds(Rate, COUNT), min_size=10, max_size=50
).map(tuple)

MUTANT_TRACES = 8


@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
@given(script=SCRIPTS, seed=st.integers(0, 2**32 - 1))
def test_laws_hold_for_every_history(script: Script, seed: int) -> None:
    trace = rehearse(League, script, seed)
    for rule in RULES:
        for law in rule.laws:
            assert not list(law(trace)), rule.name


def histories(make: CoreClass) -> Iterator[Trace]:
    return (rehearse(make, random_script(np.random.default_rng(k), 60), k) for k in range(MUTANT_TRACES))


@cache
def right_histories() -> list[Trace]:
    return list(histories(League))


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_the_shipped_core_keeps_the_rule(rule: Rule) -> None:
    check = judge(rule, League, right_histories())
    assert check.ok, check.remarks


@pytest.mark.parametrize(
    ("mutant", "name"), [*SEEDED.items(), *FURTHER.items(), *DECLARED.items()], ids=lambda x: getattr(x, "__name__", x)
)
def test_a_wrong_league_is_named(mutant: type[League], name: str) -> None:
    """The check with this number finds a breach, or the core falls over what it asks."""
    (rule,) = (rule for rule in RULES if rule.name.startswith(name))
    try:
        found = next(breaches(rule, mutant, histories(mutant) if rule.laws else ()), None)
    except (IndexError, ValueError) as error:
        found = str(error)
    assert found


def test_wrong_weights_are_far_from_the_formula() -> None:
    rng = np.random.default_rng(0)
    inverted = conformance.distance(InvertedPfsp, rng, "main", Weighting.SQUARED)
    squared = conformance.distance(LeagueExploiterSquared, rng, "league_exploiter", Weighting.LINEAR_CAPPED)
    assert inverted.measured > 0.4
    assert squared.measured > 0.1
    assert not inverted.ok
    assert not squared.ok


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nonsense", "names no class"),
        ("exphil_league.league.nowhere:League", "cannot be imported"),
        ("exphil_league.league.core:Leage", "has no class 'Leage'"),
        ("exphil_league.league.payoff:Payoff", "lacks drain, enrol, learner, player, request_jobs"),
        ("tests.unit.test_verification:OtherConstructor", r"cannot be made as Class\(setup, rng, clock, events\)"),
        ("missing.py:League", "cannot be imported"),
    ],
)
def test_a_bad_core_is_refused_by_what_it_lacks(name: str, message: str) -> None:
    with pytest.raises(UserError, match=message):
        load_core(name)


def test_a_core_is_found_by_module_and_by_path() -> None:
    assert load_core(SHIPPED) is League
    assert load_core("tests.mutants:InvertedPfsp") is InvertedPfsp
    by_path = load_core(str(Path(__file__).parents[1] / "mutants" / "seeded.py") + ":InvertedPfsp")
    assert by_path.__name__ == "InvertedPfsp"  # type: ignore[attr-defined]


class OtherConstructor(League):
    """A core that cannot be made as others are."""

    def __init__(self) -> None:
        pass


def test_games_are_what_they_say() -> None:
    """Blotto has 66 strategies and a value of 0.5; the trapdoor's cheese is unbeaten but for its antidote."""
    for game in (blotto(), trapdoor()):
        np.testing.assert_allclose(game.wins + game.wins.T, 1.0)
        nash = effect.nash_mixture(game, np.eye(game.actions))
        assert game.exploitability(nash) == pytest.approx(0.0, abs=1e-9)
    assert blotto().actions == 66
    wins = trapdoor().wins
    assert wins[3, :3].min() == 0.9
    assert wins[4, 3] == 0.95


@pytest.mark.slow
def test_the_shipped_league_passes_to_the_end(capfd: pytest.CaptureFixture[str]) -> None:
    """V0 to V3 as a user runs them."""
    assert main(["league", "verify", "--json"]) == 0
    checks = json.loads(capfd.readouterr().out.splitlines()[-1])["checks"]
    assert {check["name"][:2] for check in checks} == {"V0", "V1", "V2", "V3"}
    assert all(set(check) == {"name", "threshold", "measured", "ok"} and check["ok"] for check in checks)


@pytest.mark.slow
def test_exploiters_from_other_styles_find_the_trapdoor() -> None:
    assert [check.name for check in effect.v4(League, seeds=effect.FEW[:2]) if not check.ok] == []


@pytest.mark.slow
@pytest.mark.parametrize("mutant", SEEDED)
def test_a_wrong_league_is_seen_by_its_effect_too(mutant: type[League]) -> None:
    """V3 alone, without looking at any rule; two seeds are enough, but where the effect is small."""
    seeds = effect.FEW if mutant is OpponentsTrained else effect.FEW[:2]
    assert not all(check.ok for check in effect.v3(mutant, seeds=seeds))
