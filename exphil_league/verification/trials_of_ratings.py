"""Ratings of a core: they follow results, in Elo, with intervals that are worth their games.

Each trial brings a fresh core into a situation and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import numpy as np

from exphil_league.config.league import PayoffConfig
from exphil_league.league.model import Outcome
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.stage import DRAWS, Stage, random_results, uneven, with_league, won
from exphil_league.verification.trace import ROOTS, ROSTER, result_of

_ELO_TOLERANCE = 1e-6
_RATED_GAMES = 480
_FIVE_IN_SIX_ELO = 400.0 * np.log10(5.0)


def ratings_without_order_or_origin(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Elo depends neither on the order of results nor on where its scale begins; the anchor is exact."""
    seed = int(rng.integers(2**32))
    ladders = []
    for shuffled, origin in ((False, 1000.0), (True, 1000.0), (False, 1500.0)):
        setup = with_league()
        rating = setup.rating.model_copy(update={"anchor_elo": origin})
        stage = Stage(make, np.random.default_rng(seed), setup.model_copy(update={"rating": rating}))
        jobs = [job for pair in combinations(ROOTS, 2) for job in stage.core.request_evaluation(8, pair)]
        results = random_results(jobs, np.random.default_rng(seed))
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


def ratings_on_their_scale(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Five wins in six are 280 Elo, with the interval of so many games; the ladder names main's newest snapshot."""
    stage = Stage(make, rng)
    if stage.core.ladder()["main"] != "warm_start":
        yield f"before its first snapshot the ladder names {stage.core.ladder()['main']} as main"
    stage.freeze("main", 2)
    jobs = stage.core.request_evaluation(_RATED_GAMES, ("main@2", "random"))
    outcomes = [Outcome.WIN] * 360 + [Outcome.DRAW] * 80 + [Outcome.LOSS] * 40
    stage.core.report([won(job, "main@2", outcome) for job, outcome in zip(jobs, outcomes, strict=True)])
    ladder = stage.core.ladder()
    row = next(row for row in ladder["players"] if row["player"] == "main@2")
    gain, half = row["elo"] - stage.setup.rating.anchor_elo, (row["high"] - row["low"]) / 2
    if abs(gain - _FIVE_IN_SIX_ELO) > 10.0:
        yield f"five wins in six are {_FIVE_IN_SIX_ELO:.0f} Elo, told are {gain:.0f}"
    sd = 400.0 / np.log(10.0) / np.sqrt(_RATED_GAMES * 5.0 / 36.0)
    if not 0.85 < half / (1.96 * sd) < 1.15:
        yield f"{_RATED_GAMES} games leave {1.96 * sd:.0f} Elo to either side, told are {half:.0f}"
    if ladder["main"] != "main@2":
        yield f"main's newest snapshot is main@2, the ladder names {ladder['main']}"


def cycles_are_told(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Three that beat each other in a circle are a cycle, three in an order are none."""
    for last, low, high in ((("warm_start", "idle"), 0.8, 1.0), (("idle", "warm_start"), 0.0, 0.2)):
        stage = Stage(make, rng)
        for better, worse in (("idle", "random"), ("random", "warm_start"), last):
            stage.rate(better, worse, 40)
        found = stage.core.ladder()["cyclicity"]
        if found is None or not low <= found <= high:
            yield f"cyclicity is {found} where {last[0]} beats {last[1]}, idle random and random the warm start"


def rating_games_go_where_declared(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A sure pair is left alone, the more the sharper; with sharpness 0 all pairs are drawn evenly."""
    for sharpness in (0.0, 3.0):
        setup = with_league()
        rating = setup.rating.model_copy(update={"sharpness": sharpness})
        stage = Stage(make, rng, setup.model_copy(update={"rating": rating}))
        stage.rate("idle", "random", 40)
        drawn = Counter(frozenset(job.players) for job in stage.core.request_evaluation(2 * DRAWS))
        pairs = tuple(frozenset(pair) for pair in combinations(ROOTS, 2))
        sure = drawn[frozenset(("idle", "random"))]
        if uneven(drawn, pairs) if sharpness == 0.0 else sure > DRAWS / 50:
            yield f"sharpness {sharpness}: rating games go to {dict(drawn)}"


def intervals_are_worth_their_games(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """95 % intervals are as wide as the games that decay leaves; what a seat is worth is told for the right seat."""
    for decay, half in ((1.0, 0.098), (0.9, 0.214)):
        stage = Stage(make, rng, with_league(payoff=PayoffConfig(decay=decay, prior_games=0.0)))
        for _ in range(50):
            stage.teach("main", "style", 1, 1)
        (row,) = stage.core.payoff()["train"]
        told = (row["high"] - row["low"]) / 2
        if not 0.8 < told / half < 1.25 or not row["low"] < row["win_rate"] < row["high"]:
            yield f"100 even games at decay {decay} leave {half} to either side, told are {told:.3f}"
    stage = Stage(make, rng)
    stage.core.report([result_of(job, Outcome.WIN) for job in stage.core.request_jobs("main", 1, 80, "style")])
    (row,) = stage.core.payoff()["train"]
    if not (row["seat_effect"] > 0.8 and stage.core.payoff()["seat_0"]["train"]["win_rate"] > 0.9):
        yield f"seat 0 won every game, told are {row['seat_effect']} and {stage.core.payoff()['seat_0']['train']}"
