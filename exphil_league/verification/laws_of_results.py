"""Laws of results: what every reported game does to win rates, and what it does not.

A law reads a trace and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from exphil_league.league.model import Job, Outcome, Purpose
from exphil_league.verification.scripts import Report
from exphil_league.verification.trace import DECAY, Pair, Step, Trace, Verdict, cell_of

_CLOSE = 1e-9
_POINTS = {Outcome.WIN: 1.0, Outcome.DRAW: 0.5, Outcome.LOSS: 0.0}
_UNPLAYED = {"games": 0, "draws": 0, "aborted": 0, "win_rate": 0.5}
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
    for step in _reports(trace):
        if step.verdict is Verdict.OWN and step.before.rates() != step.after.rates():
            yield "a player's game against itself moved win rates"


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
        played = set(step.job.players) if step.job and step.job.purpose is Purpose.TRAIN else set()
        reset = {step.decision.learner} if step.decision and step.decision.reset_digest else set()
        for pair, row in step.before.rows.items():
            now = step.after.rows.get(pair, {})
            same = all(now.get(key) == row[key] for key in ("win_rate", "effective_games"))
            if not same and set(pair) != played and not reset & set(pair):
                yield f"{step.op}{' of ' + step.job.job_id if step.job else ''} changed the win rate of {pair}"
            if row["effective_games"] > _MOST_GAMES + _CLOSE:
                yield f"{pair} is worth {row['effective_games']:.1f} games, more than decay allows"
    for step, job, outcome in _counted(trace):
        known = [*_expected(step, job, outcome), *_expected(step, job, _other(outcome))]
        if _moved(step, job) and outcome is not Outcome.DRAW and not _became(step, job, known):
            rate = step.after.win_rate(*job.players)
            yield f"{job.job_id}: a {outcome} took the win rate to {rate:.4f}, not {known[0]:.4f}"


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
        if counts[1] <= counts[0]:
            yield f"aborted {step.job.job_id} is in no counter"


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


def rating_games_are_their_own(trace: Trace) -> Iterator[str]:
    """Each rating game that counts is one more of its pair's, undecayed; nothing else adds to the rating games."""
    for step in trace.steps:
        rating = step.job is not None and step.job.purpose is Purpose.EVALUATE and step.verdict is Verdict.COUNTS
        before, after = step.before.rated, step.after.rated
        grown = {pair: row["games"] - before.get(pair, _UNPLAYED)["games"] for pair, row in after.items()}
        added = {frozenset(pair): games for pair, games in grown.items() if games}
        if added != ({frozenset(step.job.players): 1} if rating and step.job else {}):
            yield f"{step.op}: rating games grew by {added}"
        elif rating and step.job is not None:
            yield from _plain_mean(step, step.job)


def _plain_mean(step: Step, job: Job) -> Iterator[str]:
    """A rating game moves its pair's win rate to the plain mean of all its games."""
    assert isinstance(step.op, Report)
    pair = job.players if job.players in step.after.rated else job.players[::-1]
    before, after = step.before.rated.get(pair, _UNPLAYED), step.after.rated[pair]
    points = _POINTS[step.op.outcome]
    points = points if pair == job.players else 1.0 - points
    due, told = (before["win_rate"] * before["games"] + points) / (before["games"] + 1), after["win_rate"]
    if abs(told - due) > _CLOSE:
        yield f"{job.job_id}: a {step.op.outcome} took the rating games of {pair} to {told:.4f}, not {due:.4f}"


def results_count_for_their_matchup(trace: Trace) -> Iterator[str]:
    """A counted result is one more of its players, with their characters, on its stage, and of no other matchup."""
    for step in trace.steps:
        for purpose in Purpose:
            before, after = step.before.matchups[purpose], step.after.matchups[purpose]
            added = {cell: row["games"] - before.get(cell, _UNPLAYED)["games"] for cell, row in after.items()}
            added = {cell: games for cell, games in added.items() if games}
            counts = step.verdict is Verdict.COUNTS and step.job is not None and step.job.purpose is purpose
            if added != ({cell_of(step.job): 1} if counts and step.job is not None else {}):
                yield f"{step.op}: games by matchup ({purpose}) grew by {added}"


def pairs_are_counted(trace: Trace) -> Iterator[str]:
    """A pair's games, draws and aborted games are told as they were."""
    for step in _reports(trace):
        if step.job is None or not _is_training(step.job) or step.verdict not in (Verdict.COUNTS, Verdict.ABORTED):
            continue
        assert isinstance(step.op, Report)
        before, after = (_row(seen.rows, step.job) for seen in (step.before, step.after))
        grown = tuple(after[name] - before[name] for name in ("games", "draws", "aborted"))
        aborted = step.verdict is Verdict.ABORTED
        if grown != (not aborted, step.op.outcome is Outcome.DRAW, aborted):
            yield f"{step.job.job_id}: after a {step.op.outcome} games, draws and aborted games grew by {grown}"


def _row(rows: Mapping[Pair, dict[str, Any]], job: Job) -> dict[str, Any]:
    return rows.get(job.players) or rows.get(job.players[::-1]) or _UNPLAYED


def a_reset_forgets(trace: Trace) -> Iterator[str]:
    """A learner that starts again is somebody else: its win rates are those of one who never played."""
    for step in trace.steps:
        decision = step.decision
        if decision is not None and decision.reset_digest is not None:
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
    points = _POINTS[outcome]
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
