"""What must hold of every history: each law reads a trace and yields a sentence for every breach it finds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator

from exphil_league.league import views
from exphil_league.league.events import LearnerReset, SnapshotTaken
from exphil_league.league.model import Branch, Job, Outcome, Purpose
from exphil_league.league.state import fold
from exphil_league.verification.scripts import LEARNERS, Expire, Learn, Rate, Report, Request, Resume
from exphil_league.verification.trace import DECAY, ROOTS, SETUP, Pair, Step, Trace, Verdict, rehearse, view

Law = Callable[[Trace], Iterator[str]]
_CLOSE = 1e-9
_NEXT_JOBS = 10
_MOST_GAMES = (1.0 + DECAY) / (1.0 - DECAY)


def results_count_for_their_seat(trace: Trace) -> Iterator[str]:
    """A win is the winner's whichever seat it held, and the two win rates of a pair sum to 1."""
    for step, job, outcome in _counted(trace):
        if (
            outcome is not Outcome.DRAW
            and _moved(step, job)
            and _became(step, job, _expected(step, job, _other(outcome)))
        ):
            yield f"{job.job_id}: a {outcome} of {job.players[0]} against {job.players[1]} was credited as the opposite"
        for pair in _breaking_the_sum(step):
            yield f"win rates of {pair[0]} and {pair[1]} do not sum to 1"


def finished_games_move_win_rates(trace: Trace) -> Iterator[str]:
    """A counted result that should move its pair's win rate does."""
    for step, job, outcome in _counted(trace):
        due = _expected(step, job, outcome)[0]
        if not _moved(step, job) and abs(due - step.before.win_rate(*job.players)) > _CLOSE:
            yield f"{job.job_id}: a {outcome} left the win rate of {job.players[0]} against {job.players[1]} as it was"


def draws_are_half(trace: Trace) -> Iterator[str]:
    """A draw counts as half a win for both."""
    for step, job, outcome in _counted(trace):
        if outcome is Outcome.DRAW and not _became(step, job, _expected(step, job, outcome)):
            due = _expected(step, job, outcome)[0]
            yield f"{job.job_id}: a draw took the win rate to {step.after.win_rate(*job.players):.4f}, not {due:.4f}"


def decay_touches_the_pair_only(trace: Trace) -> Iterator[str]:
    """Older games of the played pair, and of no other, lose weight; a pair is worth at most 199 games at 0.99."""
    for step in trace.steps:
        if not isinstance(step.op, Report):
            continue
        played = frozenset(step.job.players) if step.job else frozenset()
        for pair, row in step.before.rows.items():
            now = step.after.rows.get(pair, {})
            same = all(now.get(key) == row[key] for key in ("win_rate", "effective_games"))
            if frozenset(pair) != played and not same:
                yield f"a result of {sorted(played)} changed {pair}"
            if row["effective_games"] > _MOST_GAMES + _CLOSE:
                yield f"{pair} is worth {row['effective_games']:.1f} games, more than decay allows"
    for step, job, outcome in _counted(trace):
        known = [*_expected(step, job, outcome), *_expected(step, job, _other(outcome))]
        if _moved(step, job) and outcome is not Outcome.DRAW and not _became(step, job, known):
            rate = step.after.win_rate(*job.players)
            yield f"{job.job_id}: a {outcome} took the win rate to {rate:.4f}, not {known[0]:.4f}"


def frozen_digests_never_change(trace: Trace) -> Iterator[str]:
    """A frozen player plays with the weights it was frozen with, for ever."""
    first = dict(ROOTS)
    for step in trace.steps:
        for name, member in step.after.members.items():
            if member["status"] == "frozen" and first.setdefault(name, member["digest"]) != member["digest"]:
                yield f"{name} was {first[name]} and is {member['digest']}"
        for job in step.jobs:
            for name, digest in zip(job.players, job.digests, strict=True):
                if name in first and first[name] != digest:
                    yield f"{job.job_id}: {name} was {first[name]} and plays as {digest}"


def frozen_before_reset(trace: Trace) -> Iterator[str]:
    """A snapshot holds what was live, and its event precedes that of the reset it decides."""
    for step in _decisions(trace):
        decision = step.decision
        assert decision is not None
        if decision.snapshot.digest != step.digest:
            yield f"{decision.snapshot.player_id} holds {decision.snapshot.digest}, live was {step.digest}"
        kinds = [type(e) for e in step.events if isinstance(e, SnapshotTaken | LearnerReset)]
        due = [SnapshotTaken, LearnerReset] if decision.reset_digest is not None else [SnapshotTaken]
        if kinds != due:
            yield f"{decision.snapshot.player_id}: events {[kind.__name__ for kind in kinds]}"


def resets_by_kind(trace: Trace) -> Iterator[str]:
    """A main player is never reset, a main exploiter at every snapshot, and then it is who it was reset to."""
    for step in _decisions(trace):
        decision = step.decision
        assert decision is not None
        reset = decision.reset_digest is not None
        if decision.learner != "league_exploiter" and reset != (decision.learner == "main_exploiter"):
            yield f"{decision.learner} was {'' if reset else 'not '}reset after {decision.snapshot.player_id}"
        live = step.after.members[decision.learner]["digest"]
        if live != (decision.reset_digest if reset else step.digest):
            yield f"{decision.learner} is {live} after {decision.snapshot.player_id}"


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


def a_result_counts_once(trace: Trace) -> Iterator[str]:
    """A result delivered again, at once or later, is settled and changes nothing."""
    for step in _reports(trace):
        assert step.job is not None
        assert isinstance(step.op, Report)
        if step.verdict is Verdict.DUPLICATE:
            if step.before.rates() != step.after.rates():
                yield f"{step.job.job_id} counted again"
            if step.answer != (step.job.job_id,) * step.op.repeat:
                yield f"{step.job.job_id}, delivered again, was not settled: its worker would send it for ever"
        elif step.verdict is Verdict.COUNTS and step.op.repeat > 1 and _is_training(step.job):
            once, *more = _expected(step, step.job, step.op.outcome)
            if _became(step, step.job, more) and abs(more[0] - once) > _CLOSE:
                yield f"{step.job.job_id} counted {step.op.repeat} times"


def aborted_games_change_no_win_rate(trace: Trace) -> Iterator[str]:
    """An aborted game settles its job and is counted as aborted, and that is all."""
    for step in _reports(trace):
        if step.verdict is not Verdict.ABORTED or step.job is None:
            continue
        if step.before.rates() != {pair: rate for pair, rate in step.after.rates().items() if pair in step.before.rows}:
            yield f"aborted {step.job.job_id} changed win rates"
        if any(abs(rate - 0.5) > _CLOSE for pair, rate in step.after.rates().items() if pair not in step.before.rows):
            yield f"aborted {step.job.job_id} gave a pair a win rate"
        counts = [
            sum(v for k, v in seen.status["counts"].items() if "aborted" in k) for seen in (step.before, step.after)
        ]
        if counts[1] != counts[0] + 1:
            yield f"aborted {step.job.job_id} is in no counter"


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


def lineage_is_rooted(trace: Trace) -> Iterator[str]:
    """Parents are frozen players, lead to the warm start, an anchor or an import, and never in a circle."""
    members = trace.steps[-1].after.members if trace.steps else {}
    for name in members:
        seen, here = {name}, members[name]["parent"]
        while here is not None:
            if here in seen or here not in members or members[here]["status"] != "frozen":
                yield f"{name}: its ancestor {here} is itself again, unknown or not frozen"
                break
            seen.add(here)
            here = members[here]["parent"]
        else:
            if not seen & set(ROOTS):
                yield f"{name} grew from nobody who was enrolled"


def leased_players_stay(trace: Trace) -> Iterator[str]:
    """Roots and everybody in an open lease remain members."""
    for step in trace.steps:
        for name in (*ROOTS, *(name for job in step.jobs for name in job.players)):
            if name not in trace.steps[-1].after.members:
                yield f"{name} is gone"


def leases_expire_once(trace: Trace) -> Iterator[str]:
    """Asked twice, the league names each lease that is over once, and no other."""
    given: Counter[str] = Counter()
    for step in trace.steps:
        if isinstance(step.op, Expire):
            given.update(step.answer)
            if sorted(step.answer) != sorted(step.due):
                yield f"leases over: {sorted(step.due)}; given back: {sorted(step.answer)}"
    yield from (f"{name} was given back {n} times" for name, n in given.items() if n > 1)


def refused_results_change_nothing(trace: Trace) -> Iterator[str]:
    """Results that are late, of no job of ours or of other weights are not settled and move no win rate."""
    for step in _reports(trace):
        if step.verdict in (Verdict.LATE, Verdict.STALE, Verdict.UNKNOWN):
            if step.before.rates() != step.after.rates():
                yield f"a result that is {step.verdict} changed win rates"
            if step.answer:
                yield f"a result that is {step.verdict} was settled"
        elif step.verdict is not Verdict.DUPLICATE and step.job is not None and not step.answer:
            yield f"{step.job.job_id}: a good result was refused"


def one_seed_one_sequence(trace: Trace) -> Iterator[str]:
    """The same calls on the same seed get the same jobs, on another seed others."""
    jobs = trace.jobs()
    if rehearse(trace.make, trace.script, trace.seed).jobs() != jobs:
        yield "the same seed issued other jobs"
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


def snapshots_keep_their_times(trace: Trace) -> Iterator[str]:
    """No learner is frozen before its shortest interval, every learner after its longest."""
    rule = SETUP.league.snapshot
    for step in trace.steps:
        if not isinstance(step.op, Learn):
            continue
        if step.decision is None and step.frames_since_snapshot >= rule.timeout_frames:
            yield f"{step.op.learner} was not frozen after {step.frames_since_snapshot} frames"
        if step.decision is not None and step.frames_since_snapshot < rule.min_frames:
            yield f"{step.op.learner} was frozen after {step.frames_since_snapshot} frames"


def a_reset_forgets(trace: Trace) -> Iterator[str]:
    """A learner that starts again is somebody else: its win rates are those of one who never played."""
    for step in _decisions(trace):
        decision = step.decision
        assert decision is not None
        if decision.reset_digest is not None:
            for pair, rate in step.after.rates().items():
                if decision.learner in pair and abs(rate - 0.5) > _CLOSE:
                    yield f"{decision.learner} was reset and keeps {rate:.3f} in {pair}"


def _reports(trace: Trace) -> Iterator[Step]:
    return (step for step in trace.steps if isinstance(step.op, Report) and step.job is not None)


def _counted(trace: Trace) -> Iterator[tuple[Step, Job, Outcome]]:
    """Reports of training games that count."""
    for step in _reports(trace):
        assert step.job is not None
        assert isinstance(step.op, Report)
        if step.verdict is Verdict.COUNTS and _is_training(step.job):
            yield step, step.job, step.op.outcome


def _decisions(trace: Trace) -> Iterator[Step]:
    return (step for step in trace.steps if step.decision is not None)


def _is_training(job: Job) -> bool:
    return job.purpose is Purpose.TRAIN and job.players[0] != job.players[1]


def _became(step: Step, job: Job, values: Iterable[float]) -> bool:
    """Whether seat 0's win rate is now one of these."""
    now = step.after.win_rate(*job.players)
    return any(abs(now - value) <= _CLOSE for value in values)


def _moved(step: Step, job: Job) -> bool:
    return abs(step.after.win_rate(*job.players) - step.before.win_rate(*job.players)) > _CLOSE


def _other(outcome: Outcome) -> Outcome:
    return {Outcome.WIN: Outcome.LOSS, Outcome.LOSS: Outcome.WIN}.get(outcome, outcome)


def _expected(step: Step, job: Job, outcome: Outcome) -> list[float]:
    """Seat 0's win rate after counting the result once, twice, ... as often as it was delivered."""
    assert isinstance(step.op, Report)
    points = {Outcome.WIN: 1.0, Outcome.DRAW: 0.5, Outcome.LOSS: 0.0}[outcome]
    rate, games = step.before.win_rate(*job.players), (1.0 - DECAY**step.games_before) / (1.0 - DECAY)
    rates = []
    for _ in range(step.op.repeat):
        rate, games = (rate * games * DECAY + points) / (games * DECAY + 1.0), games * DECAY + 1.0
        rates.append(rate)
    return rates


def _breaking_the_sum(step: Step) -> Iterator[Pair]:
    rows = step.after.rows
    for (first, second), row in rows.items():
        back = rows.get((second, first))
        if first < second and back is not None and abs(row["win_rate"] + back["win_rate"] - 1.0) > _CLOSE:
            yield first, second
