"""Where exploiters begin: declared shares, what stands in for a kind of start that has nobody, lineage."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest

from exphil_league.config.league import LearnerConfig, Shares, StartShares
from exphil_league.league.core import League
from exphil_league.league.model import PlayerKind, Reason
from tests.league_play import ROSTER, Clock, play, with_league, won_by

STYLES = {"style_dashing": "digest-dashing", "style_shielding": "digest-shielding"}
SHARED = StartShares(own=0.25, styles=0.5, best_exploiter=0.25)


def new_league(starts: StartShares, styles: dict[str, str], seed: int = 0, **changes: object) -> League:
    learners = (LearnerConfig(), LearnerConfig(name="main_exploiter", kind=PlayerKind.MAIN_EXPLOITER))
    league = League(with_league(learners=learners, starts=starts, **changes), np.random.default_rng(seed), Clock(), ())
    league.enrol(replace(ROSTER, styles=styles))
    return league


def resets(league: League, count: int) -> Counter[str]:
    """Where the exploiter starts again over `count` generations."""
    found: Counter[str] = Counter()
    for generation in range(count):
        frames = league.learner("main_exploiter").env_frames + 200
        decision = league.maybe_snapshot("main_exploiter", f"digest-{generation}", frames)
        assert decision is not None
        assert decision.reset_player is not None
        assert league.player(decision.reset_player).digest == decision.reset_digest
        found[decision.reset_player] += 1
    return found


def test_exploiters_start_again_by_the_declared_shares() -> None:
    league = new_league(SHARED, STYLES)
    champion = league.maybe_snapshot("main_exploiter", "champion", 200)
    assert champion is not None
    for job in league.request_jobs("main", 1, 20, champion.snapshot.player_id):
        league.report([won_by(champion.snapshot.player_id, job)])
    found = resets(league, 600)
    assert found["style_dashing"] + found["style_shielding"] == pytest.approx(300, abs=45)
    assert found[champion.snapshot.player_id] == pytest.approx(150, abs=40)
    assert found["warm_start"] == pytest.approx(150, abs=40)
    assert sum(found.values()) == 600


def test_without_styles_or_a_telling_exploiter_the_own_starts_stand_in() -> None:
    league = new_league(SHARED, {})
    beaten = league.maybe_snapshot("main_exploiter", "beaten", 200)
    assert beaten is not None
    for job in league.request_jobs("main", 1, 20, beaten.snapshot.player_id):
        league.report([won_by("main", job)])
    assert set(resets(league, 1)) == {"warm_start"}


def test_the_first_start_of_an_exploiter_is_drawn_and_main_begins_at_the_warm_start() -> None:
    only_styles = StartShares(own=0.0, styles=1.0)
    roots = set()
    for seed in range(8):
        league = new_league(only_styles, STYLES, seed)
        assert league.learner("main").root == "warm_start"
        exploiter = league.learner("main_exploiter")
        assert exploiter.player.digest == STYLES[exploiter.root]
        roots.add(exploiter.root)
        again = League(league.state.setup, np.random.default_rng(99), Clock(), league.drain())
        again.enrol(replace(ROSTER, styles=STYLES))
        assert again.learner("main_exploiter") == exploiter
    assert roots == set(STYLES)


def test_styles_are_rated_and_only_met_in_training_when_asked_for() -> None:
    for wanted in (False, True):
        league = new_league(
            SHARED,
            STYLES,
            train_against_styles=wanted,
            exploration=1.0,
            shares=Shares(self_play=0.0, pfsp=1.0, verification=0.0),
        )
        assert set(STYLES) <= set(league.state.frozen())
        met = {player for job in league.request_jobs("main", 1, 100) for player in job.players}
        assert bool(met & set(STYLES)) == wanted
    grown = [edge for edge in league.state.edges if edge.reason is Reason.STYLE]
    assert [(edge.parent, edge.child) for edge in grown] == [("warm_start", name) for name in STYLES]


def test_no_exploiter_ever_starts_from_a_main_player() -> None:
    league = new_league(SHARED, STYLES)
    rng = np.random.default_rng(1)
    for number in range(60):
        for name in ("main", "main_exploiter"):
            play(league, league.request_jobs(name, 1, 4), rng)
            league.maybe_snapshot(name, f"{name}-{number}", 200 * (number + 1))
    mains = set(league.state.snapshots_of_kind(PlayerKind.MAIN))
    assert mains
    begun = [edge.parent for edge in league.state.edges if edge.reason is Reason.RESET]
    assert begun
    assert not mains & set(begun)
