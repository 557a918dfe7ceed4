"""What one random history cannot show: frequencies, rules at their edges, what each role meets, ratings.

Each trial brings a fresh core into a situation and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product
from typing import Any

import numpy as np

from exphil_league.config.game import Repertoire
from exphil_league.config.league import (
    LearnerConfig,
    PayoffConfig,
    PoolConfig,
    Shares,
    SnapshotConfig,
    StartShares,
    Weighting,
)
from exphil_league.league.model import Branch, Job, MatchResult, Outcome
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.stage import Stage, opponent_of, with_league, won
from exphil_league.verification.trace import ROOTS, ROSTER, result_of, view

_DRAWS = 300
_FIVE_SIGMA = 5.0 * np.sqrt(0.25 * 0.75 / _DRAWS)
_SURE_GAMES = 60
_PFSP_ONLY = Shares(self_play=0.0, pfsp=1.0, verification=0.0)
_VERIFY_ONLY = Shares(self_play=0.0, pfsp=0.0, verification=1.0)
_ELO_TOLERANCE = 1e-6


def pfsp_at_every_extreme(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """An opponent is drawn whoever always wins, evenly when all are alike; `squared` meets the hard ones most."""
    setup = with_league(shares=_PFSP_ONLY, learners=(LearnerConfig(),))
    alone = Stage(make, rng, setup, replace(ROSTER, imports={}))
    if set(alone.met("main", 20)) != {"warm_start"}:
        yield "with one frozen player somebody else was met"
    for weighting in Weighting:
        for wins, losses in ((_SURE_GAMES, 0), (0, _SURE_GAMES)):
            stage = Stage(make, rng, with_league(shares=_PFSP_ONLY, weighting=weighting))
            stage.freeze("main", 2)
            pool = ("warm_start", "style", "main@1", "main@2")
            for opponent in pool:
                stage.teach("main", opponent, wins, losses)
            if _uneven(stage.met("main", _DRAWS), pool):
                yield f"{weighting}: equal opponents are not met equally often ({wins} wins, {losses} losses)"
    stage = Stage(make, rng, with_league(shares=_PFSP_ONLY))
    stage.teach("main", "warm_start", _SURE_GAMES)
    stage.teach("main", "style", 0, _SURE_GAMES)
    if set(stage.met("main", _DRAWS)) != {"style"}:
        yield "squared: an opponent that is always beaten is met, or one that always wins is not"
    stage = Stage(make, rng, with_league(shares=_PFSP_ONLY, exploration=0.5))
    stage.teach("main", "warm_start", _SURE_GAMES)
    if abs(stage.met("main", _DRAWS)["warm_start"] / _DRAWS - 0.25) > _FIVE_SIGMA:
        yield "exploration 0.5 does not draw half of the opponents evenly"


def reset_share(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A league exploiter resets at `reset_share` of its snapshots, to each of its starts; the others by kind."""
    for share, count in ((0.25, 600), (0.75, 200)):
        stage = Stage(make, rng, with_league(reset_share=share))
        resets = [_is_reset(stage, "league_exploiter") for _ in range(count)]
        if abs(np.mean(resets) - share) > 3.0 * np.sqrt(share * (1.0 - share) / count):
            yield f"a league exploiter with reset_share {share} reset at {np.mean(resets):.3f} of {count} snapshots"
    stage, starts = Stage(make, rng), Counter[str | None]()
    for _ in range(40):
        if _is_reset(stage, "main"):
            yield "the main player was reset"
        decision = stage.train("main_exploiter", stage.setup.league.snapshot.timeout_frames)
        starts[decision.reset_player if decision else None] += 1
    if not {"warm_start", "style"} <= set(starts) or None in starts:
        yield f"a main exploiter with starts warm_start and style was reset to {dict(starts)}"


def starts_as_declared(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Exploiters begin at their own starts and at every style as often as declared; the main player at neither."""
    count, styles = 200, {"style_a": "digest-of-a", "style_b": "digest-of-b"}
    setup = with_league(starts=StartShares(own=0.5, styles=0.5), reset_share=1.0)
    stage = Stage(make, rng, setup, replace(ROSTER, styles=styles))
    for learner in ("main_exploiter", "league_exploiter"):
        timeout = setup.league.snapshot.timeout_frames
        decisions = [decision for _ in range(count) if (decision := stage.train(learner, timeout))]
        starts = Counter(decision.reset_player for decision in decisions)
        if abs(sum(starts[style] for style in styles) / count - 0.5) > 4.0 * np.sqrt(0.25 / count):
            yield f"{learner} began at {dict(starts)}, half of its starts were to be styles"
        if not set(styles) <= set(starts) <= {*styles, "warm_start", "style"}:
            yield f"{learner} began at {dict(starts)}"
    if stage.core.player("main").digest != ROSTER.warm_start:
        yield "the main player does not begin at the warm start"


def impossible_branches_fall_through(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """With nothing forgotten there is no verification: it goes to self-play, with one seat to PFSP."""
    for shares, seats, due in (
        (_VERIFY_ONLY, None, Branch.SELF_PLAY),
        (_VERIFY_ONLY, 1, Branch.PFSP),
        (_PFSP_ONLY, None, Branch.PFSP),
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
        results = _random_results(stage.draw("main", 60), np.random.default_rng(seed))
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
        stage.teach("main", opponent, _SURE_GAMES)
    stage.teach("main", "main@1", _SURE_GAMES // 2, _SURE_GAMES // 2)
    if stage.train("main", 10):
        yield "main was frozen though it does not beat its own past"
    stage.teach("main", "main@1", _SURE_GAMES)
    decision = stage.train("main", 10)
    if decision is None or decision.why != "win_rate":
        yield "main beats everybody and was not frozen for it"
    stage.teach("main_exploiter", "main", _SURE_GAMES)
    if stage.train("main_exploiter", 90):
        yield "a main exploiter was frozen before its shortest interval"
    decision = stage.train("main_exploiter", 20)
    if decision is None or decision.why != "win_rate":
        yield "a main exploiter that beats the live main was not frozen for it"
    for opponent in (*others, "main@1", "main@2"):
        stage.teach("league_exploiter", opponent, _SURE_GAMES)
    if stage.train("league_exploiter", 150):
        yield "a league exploiter was frozen though it never met a main exploiter's snapshot"


def roles_meet_their_opponents(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Main and league exploiters draw from every frozen policy, main exploiters the live main while it is in reach."""
    stage = Stage(make, rng, with_league(shares=_PFSP_ONLY))
    for learner in ("main", "main_exploiter", "league_exploiter"):
        stage.freeze(learner)
    pool = {"warm_start", "style", "main@1", "main_exploiter@1", "league_exploiter@1"}
    for learner in ("main", "league_exploiter"):
        if set(stage.met(learner, _DRAWS)) != pool:
            yield f"{learner} meets {sorted(stage.met(learner, _DRAWS))}, the pool is {sorted(pool)}"
    past = {"warm_start", "main@1"}
    for wins, losses, due in ((0, 0, {"main"}), (0, _SURE_GAMES, past), (2, 0, {"main"}), (_SURE_GAMES, 0, {"main"})):
        stage.teach("main_exploiter", "main", wins, losses)
        met = set(stage.met("main_exploiter", 60))
        if met != due:
            yield f"a main exploiter with {wins} wins and {losses} losses against main meets {sorted(met)}"


def verification_goes_back(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Verification meets past exploiters that still win, and past selves that are forgotten."""
    stage = Stage(make, rng, with_league(shares=_VERIFY_ONLY))
    stage.freeze("main_exploiter", 2)
    stage.teach("main", "main_exploiter@1", _SURE_GAMES)
    stage.teach("main", "main_exploiter@2", 0, _SURE_GAMES)
    yield from _verifies(stage, "main_exploiter@2")
    stage = Stage(make, rng, with_league(shares=_VERIFY_ONLY))
    stage.freeze("main", 2)
    for opponent in ("warm_start", "main@2"):
        stage.teach("main", opponent, _SURE_GAMES)
    stage.teach("main", "main@1", 0, _SURE_GAMES)
    yield from _verifies(stage, "main@1")


def verification_leaves_alone(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """An exploiter that wins half of its games, and a past that is beaten, need no verification."""
    stage = Stage(make, rng, with_league(shares=_VERIFY_ONLY, payoff=PayoffConfig(decay=1.0, prior_games=0.0)))
    stage.freeze("main")
    stage.freeze("main_exploiter")
    stage.teach("main", "main_exploiter@1", _SURE_GAMES // 2, _SURE_GAMES // 2)
    stage.teach("main", "warm_start", 75, 25)
    stage.teach("main", "main@1", 90, 10)
    if Branch.VERIFICATION in {job.branch for job in stage.draw("main", 50)}:
        yield "main holds its own and is sent to verification"


def a_final_freeze(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """`freeze` takes a snapshot whatever the rules say, resets nobody, and repeats itself."""
    core = Stage(make, rng).core
    for learner in ("main", "main_exploiter"):
        decision = core.freeze(learner, f"{learner}-end", 50)
        if decision.reset_digest is not None or decision.snapshot.digest != f"{learner}-end":
            yield f"the end of {learner} is {decision}"
        if core.freeze(learner, f"{learner}-end", 50) != decision or core.player(learner).digest != f"{learner}-end":
            yield f"{learner}, frozen again, is somebody else"


def ratings_without_order_or_origin(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Elo depends neither on the order of results nor on where its scale begins; the anchor is exact."""
    seed = int(rng.integers(2**32))
    ladders = []
    for shuffled, origin in ((False, 1000.0), (True, 1000.0), (False, 1500.0)):
        setup = with_league()
        rating = setup.rating.model_copy(update={"anchor_elo": origin})
        stage = Stage(make, np.random.default_rng(seed), setup.model_copy(update={"rating": rating}))
        jobs = [job for pair in combinations(ROOTS, 2) for job in stage.core.request_evaluation(8, pair)]
        results = _random_results(jobs, np.random.default_rng(seed))
        order = rng.permutation(len(results)) if shuffled else range(len(results))
        for k in order:
            stage.core.report([results[k]])
        ladders.append({row["player"]: float(row["elo"]) - origin for row in stage.core.ladder()["players"]})
    first = ladders[0]
    if abs(first.get("random", np.inf)) > _ELO_TOLERANCE:
        yield f"the anchor is {first.get('random')} from its Elo"
    for what, other in (("order of the results", ladders[1]), ("origin of the scale", ladders[2])):
        if set(other) != set(ROOTS) or any(abs(other[name] - first[name]) > _ELO_TOLERANCE for name in ROOTS):
            yield f"ratings depend on the {what}"


def ratings_follow_results(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Who wins is rated higher, who draws equal, who only has aborted games is where it was; sure ones rest."""
    stage = Stage(make, rng)
    for pair, outcome in (
        (("idle", "random"), Outcome.WIN),
        (("warm_start", "style"), Outcome.DRAW),
        (("idle", "style"), Outcome.ABORTED),
    ):
        jobs = stage.core.request_evaluation(30, pair)
        stage.core.report([won(job, pair[0], outcome) for job in jobs])
    elo = {row["player"]: float(row["elo"]) for row in stage.core.ladder()["players"]}
    if not elo["idle"] > elo["random"] + 100.0:
        yield "thirty wins in a row make nobody stronger"
    if abs(elo["warm_start"] - elo["style"]) > _ELO_TOLERANCE:
        yield "thirty draws make one stronger than the other"
    drawn = Counter(frozenset(job.players) for job in stage.core.request_evaluation(200))
    unplayed = [frozenset(p) for p in product(("idle", "random"), ("warm_start", "style"))]
    if min(drawn[pair] for pair in unplayed) <= drawn[frozenset(("warm_start", "style"))]:
        yield f"rating games do not go where they teach most: {dict(drawn)}"


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
        if _uneven(Counter(drawn), values):
            yield f"{name}: {dict(Counter(drawn))}, to be drawn evenly"
    seen = len(set(zip(columns["character at port 0"][0], columns["stage"][0], strict=True)))
    if seen != len(game.characters) * len(game.stages):
        yield "some characters never meet on some stage"


def eviction_keeps_the_needed(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A full pool lets go of old snapshots, never of roots, leased players or the support of its Nash mixture."""
    pool = PoolConfig(max_players=6, keep_recent=1)
    stage = Stage(make, rng, with_league(shares=_PFSP_ONLY, weighting=Weighting.UNIFORM, pool=pool))
    cycle = ["main@1", "main@2", "main@3"]
    stage.freeze("main", 3)
    for better, worse in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        stage.rate(better, worse, 40)
        stage.rate(better, "warm_start", 40)
    stage.freeze("main_exploiter")
    (leased,) = stage.core.request_jobs("league_exploiter", 1, 1, opponent="main_exploiter@1")
    stage.freeze("main_exploiter", 2)
    stage.freeze("league_exploiter", 4)
    met = stage.met("main", _DRAWS)
    for name in ("warm_start", "style", *cycle, "main_exploiter@1"):
        if name not in met:
            yield f"{name} left the pool"
    if {"main_exploiter@2", "league_exploiter@1"} <= set(met):
        yield f"a pool of {pool.max_players} holds {sorted(met)}"
    if stage.core.report([result_of(leased, Outcome.WIN)]) != [leased.job_id]:
        yield "a result that was out when its player was to leave does not count"
    if "main_exploiter@2" not in view(stage.core).members:
        yield "an evicted player left the lineage"


def prior_of_a_new_snapshot(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A new snapshot begins with the win rates of the learner it was frozen from."""
    stage = Stage(make, rng, with_league(payoff=PayoffConfig(decay=0.99, prior_games=10.0)))
    stage.teach("main_exploiter", "main", _SURE_GAMES)
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


def nash_mass_of_clones(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """In a cycle all hold a third of the Nash mass; a clone shares its original's third."""
    shares = []
    for clones in ((), ("clone",)):
        roster = replace(ROSTER, imports={name: f"digest-of-{name}" for name in ("style", *clones)})
        stage = Stage(make, rng, roster=roster)
        for kind in ("style", *clones):
            stage.rate("idle", "random", 20)
            stage.rate("random", kind, 20)
            stage.rate(kind, "idle", 20)
        mass = {row["player"]: row["nash_mass"] or 0.0 for row in stage.core.ladder()["players"]}
        shares.append([mass["idle"], mass["random"], *(mass[kind] for kind in ("style", *clones))])
    if max(abs(share - 1.0 / 3.0) for share in shares[0]) > 0.01:
        yield f"three players in a cycle hold {shares[0]}"
    if abs(shares[1][2] - shares[1][3]) > 1e-6 or abs(sum(shares[1][2:]) - shares[0][2]) > 0.05:
        yield f"a clone changes the Nash mass from {shares[0]} to {shares[1]}"


def _uneven(drawn: Counter[Any], values: tuple[Any, ...]) -> bool:
    """Whether a value was never drawn, a foreign one was, or a share is 4.5 standard deviations off an even one."""
    share, count = 1.0 / len(values), drawn.total()
    slack = 4.5 * np.sqrt(share * (1.0 - share) / count)
    return set(drawn) != set(values) or any(abs(drawn[v] / count - share) > slack for v in values)


def _verifies(stage: Stage, opponent: str) -> Iterator[str]:
    jobs = stage.draw("main", 50)
    if {job.branch for job in jobs} != {Branch.VERIFICATION} or {opponent_of(j, "main") for j in jobs} != {opponent}:
        met = Counter((str(job.branch), opponent_of(job, "main")) for job in jobs)
        yield f"main loses to {opponent} and verification draws {dict(met)}"


def _is_reset(stage: Stage, learner: str) -> bool:
    decision = stage.train(learner, stage.setup.league.snapshot.timeout_frames)
    return decision is not None and decision.reset_digest is not None


def _random_results(jobs: list[Job], rng: np.random.Generator) -> list[MatchResult]:
    outcomes = (Outcome.WIN, Outcome.WIN, Outcome.LOSS, Outcome.DRAW)
    return [result_of(job, outcomes[int(rng.integers(4))]) for job in jobs]
