"""What one random history cannot show: frequencies, rules at their edges, what each role meets, ratings.

Each trial brings a fresh core into a situation and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from exphil_league.config.game import Repertoire
from exphil_league.config.league import (
    LearnerConfig,
    PayoffConfig,
    Shares,
    SnapshotConfig,
    Weighting,
)
from exphil_league.league.model import Branch
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.stage import (
    DRAWS,
    PFSP_ONLY,
    SURE_GAMES,
    VERIFY_ONLY,
    Stage,
    opponent_of,
    random_results,
    uneven,
    with_league,
)
from exphil_league.verification.trace import ROSTER, view

_FIVE_SIGMA = 5.0 * np.sqrt(0.25 * 0.75 / DRAWS)


def pfsp_at_every_extreme(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """An opponent is drawn whoever always wins, evenly when all are alike; `squared` meets the hard ones most."""
    setup = with_league(shares=PFSP_ONLY, learners=(LearnerConfig(),))
    alone = Stage(make, rng, setup, replace(ROSTER, imports={}))
    if set(alone.met("main", 20)) != {"warm_start"}:
        yield "with one frozen player somebody else was met"
    for weighting in Weighting:
        for wins, losses in ((SURE_GAMES, 0), (0, SURE_GAMES)):
            stage = Stage(make, rng, with_league(shares=PFSP_ONLY, weighting=weighting))
            stage.freeze("main", 2)
            pool = ("warm_start", "style", "main@1", "main@2")
            for opponent in pool:
                stage.teach("main", opponent, wins, losses)
            if uneven(stage.met("main", DRAWS), pool):
                yield f"{weighting}: equal opponents are not met equally often ({wins} wins, {losses} losses)"
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY))
    stage.teach("main", "warm_start", SURE_GAMES)
    stage.teach("main", "style", 0, SURE_GAMES)
    if set(stage.met("main", DRAWS)) != {"style"}:
        yield "squared: an opponent that is always beaten is met, or one that always wins is not"
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY, exploration=0.5))
    stage.teach("main", "warm_start", SURE_GAMES)
    if abs(stage.met("main", DRAWS)["warm_start"] / DRAWS - 0.25) > _FIVE_SIGMA:
        yield "exploration 0.5 does not draw half of the opponents evenly"


def impossible_branches_fall_through(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """With nothing forgotten there is no verification: it goes to self-play, with one seat to PFSP."""
    for shares, seats, due in (
        (VERIFY_ONLY, None, Branch.SELF_PLAY),
        (VERIFY_ONLY, 1, Branch.PFSP),
        (PFSP_ONLY, None, Branch.PFSP),
        (Shares(self_play=1.0, pfsp=0.0, verification=0.0), None, Branch.SELF_PLAY),
        (Shares(self_play=1.0, pfsp=0.0, verification=0.0), 2, Branch.SELF_PLAY),
    ):
        drawn = {job.branch for job in Stage(make, rng, with_league(shares=shares)).draw("main", 50, seats)}
        if drawn != {due}:
            yield f"shares {shares.model_dump()}, {seats} seats: drew {sorted(drawn)}, not {due}"


def order_of_plain_counts(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Without decay results commute: reported in another order, or twice, they give the same win rates."""
    seed = int(rng.integers(2**32))
    seen = []
    for shuffle in (False, True):
        stage = Stage(make, np.random.default_rng(seed), with_league(payoff=PayoffConfig(decay=1.0, prior_games=0.0)))
        results = random_results(stage.draw("main", 60), np.random.default_rng(seed))
        if shuffle:
            order = rng.permutation(len(results))
            results = [results[k] for k in order] * 2
        stage.core.report(results)
        seen.append(view(stage.core).rates())
    if any(abs(seen[0][pair] - seen[1].get(pair, 0.5)) > 1e-12 for pair in seen[0]):
        yield "the order of results, or their repetition, changed win rates"


def confident_snapshots(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Before its time-out a learner is frozen only when it surely beats all of its targets, its own past too."""
    stage = Stage(
        make, rng, with_league(snapshot=SnapshotConfig(min_frames=100, timeout_frames=10_000, confidence_z=1.64))
    )
    stage.freeze("main")
    others = ("warm_start", "style")
    for opponent in (*others, "main@1"):
        stage.teach("main", opponent, 2)
    if stage.train("main", 150):
        yield "main was frozen on two wins against each"
    for opponent in others:
        stage.teach("main", opponent, SURE_GAMES)
    stage.teach("main", "main@1", SURE_GAMES // 2, SURE_GAMES // 2)
    if stage.train("main", 10):
        yield "main was frozen though it does not beat its own past"
    stage.teach("main", "main@1", SURE_GAMES)
    decision = stage.train("main", 10)
    if decision is None or decision.why != "win_rate":
        yield "main beats everybody and was not frozen for it"
    stage.teach("main_exploiter", "main", SURE_GAMES)
    if stage.train("main_exploiter", 90):
        yield "a main exploiter was frozen before its shortest interval"
    decision = stage.train("main_exploiter", 20)
    if decision is None or decision.why != "win_rate":
        yield "a main exploiter that beats the live main was not frozen for it"
    for opponent in (*others, "main@1", "main@2"):
        stage.teach("league_exploiter", opponent, SURE_GAMES)
    if stage.train("league_exploiter", 150):
        yield "a league exploiter was frozen though it never met a main exploiter's snapshot"


def roles_meet_their_opponents(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Main and league exploiters draw from every frozen policy, main exploiters the live main while it is in reach."""
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY))
    for learner in ("main", "main_exploiter", "league_exploiter"):
        stage.freeze(learner)
    pool = {"warm_start", "style", "main@1", "main_exploiter@1", "league_exploiter@1"}
    for learner in ("main", "league_exploiter"):
        if set(stage.met(learner, DRAWS)) != pool:
            yield f"{learner} meets {sorted(stage.met(learner, DRAWS))}, the pool is {sorted(pool)}"
    past = {"warm_start", "main@1"}
    for wins, losses, due in ((0, 0, {"main"}), (0, SURE_GAMES, past), (2, 0, {"main"}), (SURE_GAMES, 0, {"main"})):
        stage.teach("main_exploiter", "main", wins, losses)
        met = set(stage.met("main_exploiter", 60))
        if met != due:
            yield f"a main exploiter with {wins} wins and {losses} losses against main meets {sorted(met)}"


def verification_goes_back(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Verification meets past exploiters that still win, and past selves that are forgotten."""
    stage = Stage(make, rng, with_league(shares=VERIFY_ONLY))
    stage.freeze("main_exploiter", 2)
    stage.teach("main", "main_exploiter@1", SURE_GAMES)
    stage.teach("main", "main_exploiter@2", 0, SURE_GAMES)
    yield from _verifies(stage, "main_exploiter@2")
    stage = Stage(make, rng, with_league(shares=VERIFY_ONLY))
    stage.freeze("main", 2)
    for opponent in ("warm_start", "main@2"):
        stage.teach("main", opponent, SURE_GAMES)
    stage.teach("main", "main@1", 0, SURE_GAMES)
    yield from _verifies(stage, "main@1")


def verification_leaves_alone(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """An exploiter that wins half of its games, and a past that is beaten, need no verification."""
    stage = Stage(make, rng, with_league(shares=VERIFY_ONLY, payoff=PayoffConfig(decay=1.0, prior_games=0.0)))
    stage.freeze("main")
    stage.freeze("main_exploiter")
    stage.teach("main", "main_exploiter@1", SURE_GAMES // 2, SURE_GAMES // 2)
    stage.teach("main", "warm_start", 75, 25)
    stage.teach("main", "main@1", 90, 10)
    if Branch.VERIFICATION in {job.branch for job in stage.draw("main", 50)}:
        yield "main holds its own and is sent to verification"
    stage = Stage(make, rng, with_league(shares=VERIFY_ONLY, payoff=PayoffConfig(decay=1.0, prior_games=0.0)))
    stage.freeze("main", 2)
    for opponent, wins in (("warm_start", 90), ("main@1", 60), ("main@2", 50)):
        stage.teach("main", opponent, wins, 100 - wins)
    if Branch.VERIFICATION in {job.branch for job in stage.draw("main", 50)}:
        yield "main beats its newest selves less than its older ones, as it must, and is sent to verification"


def a_final_freeze(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """`freeze` takes a snapshot whatever the rules say, resets nobody, and repeats itself."""
    core = Stage(make, rng).core
    for learner in ("main", "main_exploiter"):
        decision = core.freeze(learner, f"{learner}-end", 50)
        if decision.reset_digest is not None or decision.snapshot.digest != f"{learner}-end":
            yield f"the end of {learner} is {decision}"
        if core.freeze(learner, f"{learner}-end", 50) != decision or core.player(learner).digest != f"{learner}-end":
            yield f"{learner}, frozen again, is somebody else"


def matchups_keep_their_marginals(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Characters, stages and starting sides come as often as configured, whoever sits where."""
    count = 1200
    stage = Stage(make, rng)
    jobs, game = stage.draw("main", count), stage.setup.game
    columns: dict[str, tuple[list[Any], tuple[Any, ...]]] = {
        "character at port 0": ([job.matchup.characters[0] for job in jobs], game.characters),
        "character at port 1": ([job.matchup.characters[1] for job in jobs], game.characters),
        "stage": ([job.matchup.stage for job in jobs], game.stages),
        "starting side": ([job.matchup.swap_start for job in jobs], (False, True)),
        "port of main": ([job.players[1] == "main" for job in jobs], (False, True)),
    }
    for name, (drawn, values) in columns.items():
        if uneven(Counter(drawn), values):
            yield f"{name}: {dict(Counter(drawn))}, to be drawn evenly"
    seen = len(set(zip(columns["character at port 0"][0], columns["stage"][0], strict=True)))
    if seen != len(game.characters) * len(game.stages):
        yield "some characters never meet on some stage"


def prior_of_a_new_snapshot(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A new snapshot begins with the win rates of the learner it was frozen from."""
    stage = Stage(make, rng, with_league(payoff=PayoffConfig(decay=0.99, prior_games=10.0)))
    stage.teach("main_exploiter", "main", SURE_GAMES)
    stage.freeze("main")
    stage.teach("main_exploiter", "main@1", 0, draws=1)
    rate = view(stage.core).win_rate("main_exploiter", "main@1")
    if not 0.7 < rate < 0.95:
        yield f"who beats main is given {rate:.2f} against its fresh snapshot after a draw"
    stage.teach("league_exploiter", "style", 3)
    rate = view(stage.core).win_rate("league_exploiter", "style")
    if abs(rate - (5.0 + 2.9701) / (10.0 + 2.9701)) > 1e-3:
        yield f"three wins on a prior of ten drawn games are a win rate of {rate:.3f}"


def repertoires_are_kept(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A player plays its own characters and stages by their weights, its snapshots too; dittos are dittos."""
    own = Repertoire(characters={"FOX": 3.0, "MARTH": 1.0}, stages={"BATTLEFIELD": 1.0})
    setup = with_league()
    stage = Stage(
        make, rng, setup.model_copy(update={"game": setup.game.model_copy(update={"players": {"main": own}})})
    )
    stage.freeze("main")
    count = 400
    for learner, opponent, due in (("main", "style", "main"), ("league_exploiter", "main@1", "main@1")):
        jobs = stage.core.request_jobs(learner, 1, count, opponent=opponent)
        played = Counter(job.matchup.characters[job.players.index(due)] for job in jobs)
        if abs(played["FOX"] / count - 0.75) > 5.0 * np.sqrt(0.75 * 0.25 / count):
            yield f"{due} is to play FOX in three of four games and plays {dict(played)}"
        if learner == "main" and {job.matchup.stage for job in jobs} != {"BATTLEFIELD"}:
            yield "main learns on BATTLEFIELD only and was sent elsewhere"
    mirror = setup.game.model_copy(update={"mirror": True})
    for job in Stage(make, rng, setup.model_copy(update={"game": mirror})).draw("main", 50):
        if len(set(job.matchup.characters)) == 2:
            yield f"{job.matchup.characters} is no ditto"


def _verifies(stage: Stage, opponent: str) -> Iterator[str]:
    jobs = stage.draw("main", 50)
    if {job.branch for job in jobs} != {Branch.VERIFICATION} or {opponent_of(j, "main") for j in jobs} != {opponent}:
        met = Counter((str(job.branch), opponent_of(job, "main")) for job in jobs)
        yield f"main loses to {opponent} and verification draws {dict(met)}"
