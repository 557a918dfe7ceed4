"""What the recipe declares is what happens: thresholds, who is met, curricula, several main players, rules of games.

Each trial sets something to what it is not by default and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from exphil_league.config.evaluation import EvaluationConfig
from exphil_league.config.league import CurriculumStage, LearnerConfig, PayoffConfig, SnapshotConfig, Weighting
from exphil_league.league.model import Branch, PlayerKind
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.stage import DRAWS, PFSP_ONLY, SURE_GAMES, Stage, with_league
from exphil_league.verification.trace import ROSTER, SETUP

_PLAIN = PayoffConfig(decay=1.0, prior_games=0.0)
"""Win rates are shares of points."""
_ROOTS = ("warm_start", "style")


def snapshots_as_declared(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """The win rate that freezes and how sure it must be are the recipe's; past exploiters count like anybody."""
    rule = SnapshotConfig(min_frames=100, timeout_frames=10_000, win_rate=0.9, confidence_z=0.0)
    stage = Stage(make, rng, with_league(snapshot=rule, payoff=_PLAIN))
    for opponent in _ROOTS:
        stage.teach("main", opponent, 85, 15)
    if stage.train("main", 150):
        yield "main was frozen at a win rate of 0.85 where 0.9 is asked for"
    for opponent in _ROOTS:
        stage.teach("main", opponent, 65)
    decision = stage.train("main", 10)
    if decision is None or decision.why != "win_rate":
        yield "main was not frozen at a win rate of 0.91 where 0.9, not surely, is asked for"
    stage.train("main_exploiter", 10_000)
    stage.teach("main", "main@1", 300)
    stage.teach("main", "main_exploiter@1", 0, SURE_GAMES)
    if stage.train("main", 150):
        yield "main was frozen for its win rate while a past exploiter beats it"


def exploit_floor_as_declared(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """A main exploiter leaves the live main player alone below the recipe's win rate, and only there."""
    stage = Stage(make, rng, with_league(exploit_floor=0.4, payoff=_PLAIN))
    for wins, losses, due in ((30, 70, {"warm_start"}), (60, 40, {"main"})):
        stage.teach("main_exploiter", "main", wins, losses)
        if (met := set(stage.met("main_exploiter", 50))) != due:
            yield f"with an exploit_floor of 0.4 a main exploiter at {wins} of 100 meets {sorted(met)}"


def opponents_as_declared(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Anchors and styles are met in training when the recipe says so, one's own opponents always."""
    roster = replace(ROSTER, styles={"style_a": "digest-of-a"})
    for changes, more in (
        ({}, set()),
        ({"train_against_anchors": True}, {"idle", "random"}),
        ({"train_against_styles": True}, {"style_a"}),
        ({"opponents": {"idle": "my_bots:idle"}}, {"idle"}),
    ):
        setup = with_league(shares=PFSP_ONLY, **changes)
        met = set(Stage(make, rng, setup, roster).met("main", DRAWS))
        if met != {*_ROOTS, *more}:
            yield f"with {changes or 'nobody else asked for'} main meets {sorted(met)}"


def the_whole_past_is_met(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """However long the past is, all of it is met; who was never played counts as even."""
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY, weighting=Weighting.UNIFORM))
    count = 60
    stage.freeze("main", count)
    missed = {*_ROOTS, *(f"main@{k + 1}" for k in range(count))} - set(stage.met("main", 25 * count))
    if missed:
        yield f"{len(missed)} of {count} past selves are never met"
    stage = Stage(make, rng, with_league(shares=PFSP_ONLY, payoff=_PLAIN))
    stage.freeze("main")
    stage.teach("main", "style", SURE_GAMES // 2, SURE_GAMES // 2)
    met = stage.met("main", DRAWS)
    if max(abs(met[name] / DRAWS - 1.0 / 3.0) for name in (*_ROOTS, "main@1")) > 5.0 * np.sqrt(2.0 / 9.0 / DRAWS):
        yield f"opponents never played are not met like an even one: {dict(met)}"


def a_curriculum_is_passed(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Stages in their order, each left after its games and at its win rate, and then the league."""
    stages = (
        CurriculumStage(opponents=("idle",), win_rate=0.6, min_games=10),
        CurriculumStage(opponents=("random",), win_rate=0.6, min_games=5),
    )
    stage = Stage(make, rng, with_league(curriculum=stages, payoff=_PLAIN))
    for opponent, wins, losses, met in (
        ("idle", 5, 0, "idle"),  # too few games
        ("idle", 5, 20, "idle"),  # too few wins
        ("idle", 60, 0, "random"),
        ("random", 1, 20, "random"),
    ):
        stage.teach("main", opponent, wins, losses)
        drawn = {(job.branch, *job.players) for job in stage.draw("main", 20, None)}
        if any(branch is not Branch.CURRICULUM or met not in players for branch, *players in drawn):
            yield f"after {wins} wins and {losses} losses against {opponent} main is to meet {met}, not {drawn}"
    stage.teach("main", "random", 60)
    if Branch.CURRICULUM in {job.branch for job in stage.draw("main", 50, None)}:
        yield "main beats everybody in the curriculum and is kept in it"
    if "main" not in stage.met("main_exploiter", 20):
        yield "a main player's curriculum keeps its exploiter away"


def several_mains(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Every main player plays itself and keeps its own line; exploiters go for all of them."""
    learners = (*SETUP.league.learners, LearnerConfig(name="other", kind=PlayerKind.MAIN))
    rule = SnapshotConfig(min_frames=100, timeout_frames=10_000)
    stage = Stage(make, rng, with_league(learners=learners, snapshot=rule))
    for name in ("main", "other"):
        if {job.players for job in stage.draw(name, 10, 2)} != {(name, name)}:
            yield f"{name} does not play itself"
    if set(stage.met("main_exploiter", 60)) != {"main", "other"}:
        yield f"a main exploiter meets {dict(stage.met('main_exploiter', 60))}, there are two main players"
    stage.teach("main_exploiter", "main", SURE_GAMES)
    if stage.train("main_exploiter", 150):
        yield "a main exploiter was frozen for beating one of two main players"
    stage.teach("main_exploiter", "other", 0, SURE_GAMES)
    stage.train("other", 10_000)
    stage.train("main", 10_000)
    met = set(stage.met("main_exploiter", 120))
    if met != {"main", "warm_start", "other@1"}:
        yield f"a main exploiter that cannot beat one of two main players meets {sorted(met)}"


def rating_games_by_their_rules(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Rating games have the stocks and the clock of `evaluation`, training games those of `game`."""
    own = EvaluationConfig(stocks=2, time_limit_s=90.0)
    setup = with_league().model_copy(update={"evaluation": own})
    stage = Stage(make, rng, setup)
    for jobs, rules in ((stage.draw("main", 5), setup.game), (stage.core.request_evaluation(5), own)):
        played = {(job.matchup.stocks, job.matchup.time_limit_s) for job in jobs}
        if played != {(rules.stocks, rules.time_limit_s)}:
            yield f"games of {rules.stocks} stocks in {rules.time_limit_s} s are played as {played}"


def members_stay_themselves(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """Who is enrolled again is who it was; other weights under an old name, or other anchors, are refused."""
    stage = Stage(make, rng)
    before = stage.core.lineage()
    stage.core.enrol(ROSTER)
    if stage.core.lineage() != before:
        yield "enrolled again, the members are others"
    for what, roster in (
        ("warm start", replace(ROSTER, warm_start="digest-of-another")),
        ("import", replace(ROSTER, imports={"style": "digest-of-another"})),
        ("set of anchors", replace(ROSTER, anchor_digest="anchors-2")),
    ):
        try:
            stage.core.enrol(roster)
        except Exception:  # whichever kind it is, it is refused
            continue
        yield f"another {what} was enrolled under the old name"


def learners_are_shown(make: CoreClass, rng: np.random.Generator) -> Iterator[str]:
    """`learner` tells a trainer what it must know to go on: weights, frames, snapshots, resets."""
    stage = Stage(make, rng)
    stage.core.publish("main", "digest-7", 70)
    main = stage.core.learner("main")
    if (main.player.digest, main.env_frames, main.generation, main.snapshots) != ("digest-7", 70, 0, 0):
        yield f"main published digest-7 at 70 frames and is shown as {main}"
    decision = stage.train("main_exploiter", SETUP.league.snapshot.timeout_frames)
    shown = stage.core.learner("main_exploiter")
    due = (decision.reset_digest if decision else None, 1, 1, stage.frames["main_exploiter"])
    if (shown.player.digest, shown.generation, shown.snapshots, shown.snapshot_frames) != due:
        yield f"a main exploiter that was frozen and reset is shown as {shown}"
