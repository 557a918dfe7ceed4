"""The whole verification of a core, from its rules to its effect."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

import numpy as np

from exphil_league.observe import console
from exphil_league.observe.progress import progress
from exphil_league.verification import conformance, effect
from exphil_league.verification.check import Check, failed
from exphil_league.verification.contract import CoreClass
from exphil_league.verification.laws_of_jobs import one_seed_one_sequence
from exphil_league.verification.rules import RULES, Rule
from exphil_league.verification.scripts import random_script
from exphil_league.verification.trace import Trace, rehearse

TRACES, CALLS = 24, 60
"""Random histories that V0 judges, and the calls in each."""
_RETOLD: Final = 4
"""Histories that are played again for the laws that need it."""
_SEED: Final = 2019


def verify(make: CoreClass, full: bool) -> dict[str, Any]:
    """{"checks": [{name, threshold, measured, ok}]} of V0 to V3; a table on standard error.

    `full`: V3 over all ten seeds, and V4.
    """
    checks = [*rules(make), *_guarded("V1 matchmaking", conformance.checks(make, np.random.default_rng(_SEED)))]
    show(checks)
    levels = {"V2": effect.v2(make), "V3": effect.v3(make, effect.SEEDS if full else effect.FEW)}
    if full:
        levels["V4"] = effect.v4(make)
    for name, level in levels.items():
        found = list(_guarded(f"{name} effect", level))
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
        remarks.extend(breaches(rule, make, traces))
    except Exception as error:  # as above
        remarks.append(failed(error))
    return Check(rule.name, 0, len(remarks), remarks=tuple(remarks))


def breaches(rule: Rule, make: CoreClass, traces: Iterable[Trace]) -> Iterator[str]:
    """What breaks a rule, as it is found. Raises what the core raises."""
    for number, trace in enumerate(traces):
        for law in rule.laws:
            if law is not one_seed_one_sequence or number < _RETOLD:
                yield from law(trace)
    for number, trial in enumerate(rule.trials):
        yield from trial(make, np.random.default_rng((_SEED, number)))


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
