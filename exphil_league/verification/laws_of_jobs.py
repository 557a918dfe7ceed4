"""Laws of jobs: who learns, which branch, whose lease; and that the log says all there is to say.

A law reads a trace and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from exphil_league.league import views
from exphil_league.league.model import Branch, Purpose
from exphil_league.league.state import fold
from exphil_league.verification.scripts import LEARNERS, Expire, Rate, Request, Resume
from exphil_league.verification.trace import SETUP, Trace, rehearse, view

_NEXT_JOBS = 10


def only_who_asked_learns(trace: Trace) -> Iterator[str]:
    """Training jobs name one learner, in both seats in self-play; rating jobs name none, and no frozen player ever."""
    for step in trace.steps:
        for job in step.jobs:
            learning = [name for name, learns in zip(job.players, job.learner_sides, strict=True) if learns]
            if isinstance(step.op, Rate):
                frozen = all(step.after.members[name]["status"] == "frozen" for name in job.players)
                if learning or job.purpose is not Purpose.EVALUATE or not frozen:
                    yield f"rating job {job.job_id} of {job.players}: {learning or 'nobody'} learns"
            elif isinstance(step.op, Request):
                due = [step.op.learner] * (2 if job.branch is Branch.SELF_PLAY else 1)
                if learning != due or job.purpose is not Purpose.TRAIN:
                    yield f"{step.op.learner} asked for {job.job_id} ({job.branch}), and {learning} learn"
                if step.op.seats is not None and len(learning) != step.op.seats:
                    yield f"{job.job_id} has {len(learning)} learning seats, {step.op.seats} were asked for"


def branches_fit_the_role(trace: Trace) -> Iterator[str]:
    """Only main players play themselves; exploiters exploit or play PFSP; as many jobs come as were asked for."""
    allowed = {
        "main": {Branch.SELF_PLAY, Branch.PFSP, Branch.VERIFICATION},
        "main_exploiter": {Branch.EXPLOIT},
        "league_exploiter": {Branch.PFSP, Branch.EXPLOIT},
    }
    for step in trace.steps:
        if isinstance(step.op, Request | Rate) and len(step.jobs) != step.op.count:
            yield f"{step.op} gave {len(step.jobs)} jobs"
        if isinstance(step.op, Request):
            for job in step.jobs:
                own = job.players[0] == job.players[1]
                if job.branch not in allowed[step.op.learner] or own != (job.branch is Branch.SELF_PLAY):
                    yield f"{step.op.learner} got {job.players} as {job.branch}"


def leases_expire_once(trace: Trace) -> Iterator[str]:
    """A lease lasts as configured; asked twice, the league names each that is over once, and no other."""
    given: Counter[str] = Counter()
    for step in trace.steps:
        for job in step.jobs:
            if job.lease_until != step.now_s + SETUP.league.lease_s:
                yield f"{job.job_id} is leased for {job.lease_until - step.now_s} s"
        if isinstance(step.op, Expire):
            given.update(step.answer)
            if sorted(step.answer) != sorted(step.due):
                yield f"leases over: {sorted(step.due)}; given back: {sorted(step.answer)}"
    yield from (f"{name} was given back {n} times" for name, n in given.items() if n > 1)


def one_seed_one_sequence(trace: Trace) -> Iterator[str]:
    """The same calls on the same seed get the same jobs and decisions, on another seed other jobs."""
    jobs, again = trace.jobs(), rehearse(trace.make, trace.script, trace.seed)
    if (again.jobs(), [step.decision for step in again.steps]) != (jobs, [step.decision for step in trace.steps]):
        yield "the same seed gave other jobs or decisions"
    if len(jobs) >= 10 and rehearse(trace.make, trace.script, trace.seed + 1).jobs() == jobs:
        yield "another seed issued the same jobs"


def ports_are_balanced(trace: Trace) -> Iterator[str]:
    """Either player of a pair sits at port 0 as often as the other, within one game."""
    orders = Counter((job.purpose, *job.players) for job in trace.jobs())
    for (purpose, first, second), count in orders.items():
        if first < second and abs(count - orders[purpose, second, first]) > 1:
            yield f"{first} and {second} ({purpose}): {count} and {orders[purpose, second, first]} games at port 0"
    if len({job.job_id for job in trace.jobs()}) != len(trace.jobs()):
        yield "a job id was used twice"
    if len({job.seed for job in trace.jobs()}) != len(trace.jobs()):
        yield "two games have the same seed"


def state_is_the_fold(trace: Trace) -> Iterator[str]:
    """The events alone, in order and through JSON, give the same league: what it shows and what it does next."""
    for step in trace.steps:
        if isinstance(step.op, Resume) and (step.before != step.after or step.events):
            yield "a league resumed from its log shows something else"
        ids = [event.job.job_id for event in step.events if event.kind == "job_issued"]
        if ids != [job.job_id for job in step.jobs]:
            yield f"jobs {[job.job_id for job in step.jobs]} are logged as {ids}"
    shown, state = view(trace.core), fold(trace.log)
    if (views.payoff(state)["train"], views.lineage(state), views.status(state)) != (
        list(shown.rows.values()),
        trace.core.lineage(),
        shown.status,
    ):
        yield "the fold of the log differs from the league's state"
    twin = trace.twin()
    for learner in LEARNERS:
        if twin.request_jobs(learner, 1, _NEXT_JOBS) != trace.core.request_jobs(learner, 1, _NEXT_JOBS):
            yield f"a resumed league issues other jobs to {learner}"
    trace.log += trace.core.drain()
