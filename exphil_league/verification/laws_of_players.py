"""Laws of players: frozen ones never change, snapshots come before resets, and everybody's descent is known.

A law reads a trace and yields a sentence for every breach it finds.
"""

from __future__ import annotations

from collections.abc import Iterator

from exphil_league.league.events import LearnerReset, SnapshotTaken
from exphil_league.verification.scripts import Learn
from exphil_league.verification.trace import ROOTS, SETUP, Step, Trace


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
        start = step.after.members.get(decision.reset_player or "", {})
        if reset and (start.get("digest"), start.get("status")) != (decision.reset_digest, "frozen"):
            yield f"{decision.learner} was reset to {decision.reset_digest}, {decision.reset_player} is {start}"


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


def descent_is_told(trace: Trace) -> Iterator[str]:
    """A snapshot is its learner's, of the frames it had trained, and descends from what the learner grew from."""
    for step in _decisions(trace):
        decision = step.decision
        assert decision is not None
        snapshot, name = decision.snapshot, decision.learner
        member = step.after.members.get(snapshot.player_id, {})
        due = (name, step.frames, step.before.members[name]["parent"])
        if (member.get("role_of"), member.get("created_frames"), member.get("parent")) != due:
            yield f"{snapshot.player_id} is told to come from {member}, not from {due}"
        parent = step.after.members[name]["parent"]
        if parent != (decision.reset_player or snapshot.player_id):
            yield f"{name} grows from {parent} after {snapshot.player_id}"


def jobs_name_the_weights_in_force(trace: Trace) -> Iterator[str]:
    """A job's digests are those its players had when it was made, a learner's the last it published."""
    for step in trace.steps:
        if isinstance(step.op, Learn) and not step.decision:
            live = step.after.members[step.op.learner]["digest"]
            if live != step.digest:
                yield f"{step.op.learner} published {step.digest} and is {live}"
        for job in step.jobs:
            due = tuple(step.before.members[name]["digest"] for name in job.players)
            if job.digests != due:
                yield f"{job.job_id} names {job.digests}, its players were {due}"


def learners_are_counted(trace: Trace) -> Iterator[str]:
    """`status` tells a learner's frames, snapshots and resets as they were."""
    for step in trace.steps:
        if not isinstance(step.op, Learn):
            continue
        before, after = (
            next(row for row in seen.status["learners"] if row["player"] == step.op.learner)
            for seen in (step.before, step.after)
        )
        frozen, reset = step.decision is not None, bool(step.decision and step.decision.reset_digest is not None)
        grown = (after["snapshots"] - before["snapshots"], after["generation"] - before["generation"])
        if (after["env_frames"], *grown) != (step.frames, frozen, reset):
            yield f"{step.op.learner} at {step.frames} frames (frozen: {frozen}, reset: {reset}) is told as {after}"


def snapshots_keep_their_times(trace: Trace) -> Iterator[str]:
    """No learner is frozen before its shortest interval, every learner after its longest, and once."""
    rule = SETUP.league.snapshot
    for step in trace.steps:
        if not isinstance(step.op, Learn):
            continue
        if step.repeated != step.decision:
            yield f"{step.op.learner}, asked the same again, got {step.repeated} after {step.decision}"
        if step.op.asks and step.decision is None and step.frames_since_snapshot >= rule.timeout_frames:
            yield f"{step.op.learner} was not frozen after {step.frames_since_snapshot} frames"
        if step.decision is not None and step.frames_since_snapshot < rule.min_frames:
            yield f"{step.op.learner} was frozen after {step.frames_since_snapshot} frames"


def _decisions(trace: Trace) -> Iterator[Step]:
    return (step for step in trace.steps if step.decision is not None)
