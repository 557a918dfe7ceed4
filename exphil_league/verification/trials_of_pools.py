"""Who comes and goes: where exploiters begin, when they begin again, who leaves a full pool.

Each trial brings a fresh core into a situation and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from exphil_league.config.league import PayoffConfig, PoolConfig, StartShares, Weighting
from exphil_league.league.model import Outcome
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.stage import DRAWS, PFSP_ONLY, SURE_GAMES, Stage, with_league
from exphil_league.verification.trace import ROSTER, result_of, view


def reset_share(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A league exploiter resets at `reset_share` of its snapshots, to each of its starts; the others by kind."""
    for share, count in ((0.25, 600), (0.75, 200)):
        stage = Stage(make, rng, with_league(reset_share=share))
        resets = [_is_reset(stage, "league_exploiter") for _ in range(count)]
        if abs(np.mean(resets) - share) > 4.5 * np.sqrt(share * (1.0 - share) / count):
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
        if abs(sum(starts[style] for style in styles) / count - 0.5) > 4.5 * np.sqrt(0.25 / count):
            yield f"{learner} began at {dict(starts)}, half of its starts were to be styles"
        if not set(styles) <= set(starts) <= {*styles, "warm_start", "style"}:
            yield f"{learner} began at {dict(starts)}"
    if stage.core.player("main").digest != ROSTER.warm_start:
        yield "the main player does not begin at the warm start"


def eviction_keeps_the_needed(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A full pool lets go of old snapshots, never of roots, leased players or the support of its Nash mixture."""
    pool = PoolConfig(max_players=6, keep_recent=1)
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY, weighting=Weighting.UNIFORM, pool=pool, reset_share=0.0))
    cycle = ["main@1", "main@2", "main@3"]
    stage.freeze("main", 3)
    for better, worse in zip(cycle, [*cycle[1:], cycle[0]], strict=True):
        stage.rate(better, worse, 40)
        stage.rate(better, "warm_start", 40)
    stage.freeze("main_exploiter")
    (leased,) = stage.core.request_jobs("league_exploiter", 1, 1, opponent="main_exploiter@1")
    stage.freeze("main_exploiter", 2)
    stage.freeze("league_exploiter", 4)
    met = stage.met("main", DRAWS)
    for name in ("warm_start", "style", *cycle, "main_exploiter@1"):
        if name not in met:
            yield f"{name} left the pool"
    if {"main_exploiter@2", "league_exploiter@1"} <= set(met):
        yield f"a pool of {pool.max_players} holds {sorted(met)}"
    if stage.core.report([result_of(leased, Outcome.WIN)]) != [leased.job_id]:
        yield "a result that was out when its player was to leave does not count"
    if "main_exploiter@2" not in view(stage.core).members:
        yield "an evicted player left the lineage"


def _is_reset(stage: Stage, learner: str) -> bool:
    decision = stage.train(learner, stage.setup.league.snapshot.timeout_frames)
    return decision is not None and decision.reset_digest is not None


def starts_are_never_mains(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """The best past exploiter is the one that main beats least; an exploiter never begins at a main player's past."""
    starts = StartShares(own=0.0, styles=0.0, best_exploiter=1.0)
    setup = with_league(starts=starts, payoff=PayoffConfig(decay=1.0, prior_games=0.0))
    stage = Stage(make, rng, setup)
    timeout = setup.league.snapshot.timeout_frames
    stage.freeze("main", 2)
    stage.freeze("main_exploiter", 3)
    for past, wins in (("main_exploiter@1", 20), ("main_exploiter@2", 5), ("main_exploiter@3", 40)):
        stage.teach("main", past, wins, SURE_GAMES - wins)
    decision = stage.train("main_exploiter", timeout)
    if decision is None or decision.reset_player != "main_exploiter@2":
        yield f"the exploiter that main beats least is main_exploiter@2, and the next began at {decision}"
    for past in ("main_exploiter@1", "main_exploiter@2", "main_exploiter@3", "main_exploiter@4"):
        stage.teach("main", past, 10 * SURE_GAMES)
    own = {decision.reset_player for _ in range(20) if (decision := stage.train("main_exploiter", timeout))}
    if own != {"warm_start", "style"}:
        yield f"main beats every past exploiter, and new ones began at {own}"


def eviction_takes_the_beaten(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Of those that may leave a full pool, who is beaten most surely goes first; the newest stay."""
    pool = PoolConfig(max_players=6, keep_recent=1)
    plain = PayoffConfig(decay=1.0, prior_games=0.0)
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY, weighting=Weighting.UNIFORM, pool=pool, payoff=plain))
    stage.freeze("main_exploiter", 4)
    for past, wins in (("main_exploiter@1", 0), ("main_exploiter@2", SURE_GAMES), ("main_exploiter@3", 30)):
        stage.teach("main", past, wins, SURE_GAMES - wins)
    stage.freeze("main")
    stage.freeze("league_exploiter")
    left = {"warm_start", "style", "main_exploiter@1", "main_exploiter@4", "main@1", "league_exploiter@1"}
    if (met := set(stage.met("main", DRAWS))) != left:
        yield f"main_exploiter@2 and @3 were to leave the pool, which holds {sorted(met)}"
    crowded = PoolConfig(max_players=3, keep_recent=3)
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY, weighting=Weighting.UNIFORM, pool=crowded))
    stage.freeze("main", 4)
    if not {"main@2", "main@3", "main@4"} <= set(stage.met("main", DRAWS)):
        yield "one of the three newest snapshots left the pool"
