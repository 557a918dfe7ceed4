"""The whole verification of a core, from its rules to its effect."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from exphil_league.observe import console
from exphil_league.observe.progress import progress
from exphil_league.verification import conformance, effect, laws, trials
from exphil_league.verification.check import Check, failed
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.laws import Law
from exphil_league.verification.scripts import random_script
from exphil_league.verification.trace import Trace, rehearse
from exphil_league.verification.trials import Trial

TRACES, CALLS = 24, 60
"""Random histories that V0 judges, and the calls in each."""
_RETOLD: Final = 4
"""Histories that are played again for the laws that need it."""
_SEED: Final = 2019


@dataclass(frozen=True)
class Rule:
    """One numbered check of V0: laws over random histories, trials that bring about what those seldom show."""

    name: str
    laws: tuple[Law, ...] = ()
    trials: tuple[Trial, ...] = ()


RULES: Final = (
    Rule("V0.01 results count for their seat", (laws.results_count_for_their_seat,)),
    Rule("V0.02 decay touches the played pair only", (laws.decay_touches_the_pair_only,)),
    Rule("V0.03 PFSP weights at every extreme", (), (trials.pfsp_at_every_extreme,)),
    Rule("V0.04 frozen digests never change", (laws.frozen_digests_never_change,)),
    Rule("V0.05 snapshot before reset", (laws.frozen_before_reset,)),
    Rule("V0.06 resets by kind", (laws.resets_by_kind,), (trials.reset_share,)),
    Rule("V0.07 only the learner that asked learns", (laws.only_who_asked_learns,)),
    Rule(
        "V0.08 branches and what an impossible one becomes",
        (laws.branches_fit_the_role,),
        (trials.impossible_branches_fall_through,),
    ),
    Rule("V0.09 a result counts once, in any order", (laws.a_result_counts_once,), (trials.order_of_plain_counts,)),
    Rule("V0.10 aborted games change no win rate", (laws.aborted_games_change_no_win_rate,)),
    Rule("V0.11 the state is the fold of the events", (laws.state_is_the_fold,)),
    Rule("V0.12 lineage is acyclic and rooted", (laws.lineage_is_rooted,)),
    Rule("V0.13 eviction spares roots and leased players", (laws.leased_players_stay,)),
    Rule("V0.14 a lease expires once", (laws.leases_expire_once,)),
    Rule("V0.15 ratings without order or origin", (), (trials.ratings_without_order_or_origin,)),
    Rule("V0.16 one seed, one sequence of jobs", (laws.one_seed_one_sequence,)),
    Rule("V0.17 matchups and ports", (laws.ports_are_balanced,), (trials.matchups_keep_their_marginals,)),
    Rule("V0.18 finished games move win rates", (laws.finished_games_move_win_rates,)),
    Rule("V0.19 a draw is half a win", (laws.draws_are_half,)),
    Rule("V0.20 snapshots in time and when sure", (laws.snapshots_keep_their_times,), (trials.confident_snapshots,)),
    Rule("V0.21 late, stale and unknown results change nothing", (laws.refused_results_change_nothing,)),
    Rule("V0.22 a reset learner's win rates are forgotten", (laws.a_reset_forgets,)),
    Rule(
        "V0.23 every role meets its opponents",
        (),
        (trials.roles_meet_their_opponents, trials.verification_goes_back),
    ),
)
"""V0. The first seventeen are the league's invariants, the others keep apart what those would say in one word."""


def verify(make: CoreClass, full: bool) -> dict[str, Any]:
    """{"checks": [{name, threshold, measured, ok}]} of V0 to V3, with `full` V4 too; a table on standard error."""
    checks = [*rules(make), *_guarded("V1 matchmaking", conformance.checks(make, np.random.default_rng(_SEED)))]
    show(checks)
    for name, level in (("V2", effect.v2), ("V3", effect.v3), *((("V4", effect.v4),) if full else ())):
        found = list(_guarded(f"{name} effect", level(make)))
        show(found)
        checks += found
    return {"checks": [check.row() for check in checks]}


def rules(make: CoreClass) -> Iterator[Check]:
    """V0: how often each rule was broken, which must be never."""
    with progress("V0 histories", TRACES, "histories") as shown:
        traces, remarks = [], []
        for seed in range(TRACES):
            try:
                traces.append(rehearse(make, random_script(np.random.default_rng(seed), CALLS), seed))
            except Exception as error:  # a foreign core may fail in any way, and that is a finding
                remarks.append(failed(error))
            shown.advance()
    yield Check("V0.00 random histories are played without an error", 0, len(remarks), remarks=tuple(remarks))
    for rule in RULES:
        yield judge(rule, make, traces)


def judge(rule: Rule, make: CoreClass, traces: list[Trace]) -> Check:
    """One rule over histories already played."""
    remarks: list[str] = []
    try:
        for law in rule.laws:
            retold = traces[:_RETOLD] if law is laws.one_seed_one_sequence else traces
            remarks += [breach for trace in retold for breach in law(trace)]
        for number, trial in enumerate(rule.trials):
            remarks += trial(make, np.random.default_rng((_SEED, number)))
    except Exception as error:  # as above
        remarks.append(failed(error))
    return Check(rule.name, 0, len(remarks), remarks=tuple(remarks))


def _guarded(name: str, checks: Iterator[Check]) -> Iterator[Check]:
    """Checks as they come; a core that raises ends them with one that failed."""
    try:
        yield from checks
    except Exception as error:  # as above
        yield Check(f"{name} runs to its end", 0, float("nan"), remarks=(failed(error),))


def show(checks: list[Check]) -> None:
    """A table for people, and what was wrong in words."""
    rows = [
        (
            check.name,
            f"{'>=' if check.at_least else '<='} {check.threshold:g}",
            f"{check.measured:.3g}",
            _verdict(check),
        )
        for check in checks
    ]
    console.table("Verification of the league", ("check", "threshold", "measured", ""), rows)
    for check in checks:
        if not check.ok:
            console.say(*(f"{check.name}: {remark}" for remark in check.remarks[:3]))


def _verdict(check: Check) -> str:
    return "ok" if check.ok else "FAILED"
