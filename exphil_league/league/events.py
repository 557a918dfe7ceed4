"""Everything that can happen to a league, as frozen records with an exact JSON form.

The log of these is the league: the state is their fold (`league.state`), nothing else is stored. Fields are
only ever added, with a default, so that older logs stay readable; `LOG_VERSION` moves when that is impossible.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Discriminator, TypeAdapter

from exphil_league.config.league import LeagueSetup
from exphil_league.league.model import Job, MatchResult, Player, Reason, SnapshotDecision

LOG_VERSION: Final = 1


class Refusal(StrEnum):
    """Why a result was not counted."""

    UNKNOWN = "unknown"  # no such job was ever issued
    DUPLICATE = "duplicate"  # the job's result is already in the log
    LATE = "late"  # the lease had expired; the job may have been played again
    STALE = "stale"  # played with other weights than the league knows for that player


@dataclass(frozen=True)
class Configured:
    """The setup in force from here on: first event of every log, again when a resumed run changes it."""

    setup: LeagueSetup
    rng_state: str
    kind: Literal["configured"] = "configured"


@dataclass(frozen=True)
class Enrolled:
    """New members: anchors, warm start and styles, then the learners at their drawn starts."""

    players: tuple[Player, ...]
    anchor_digest: str
    rng_state: str = ""
    """The generator's state after drawing starts; empty where nothing was drawn."""
    kind: Literal["enrolled"] = "enrolled"


@dataclass(frozen=True)
class JobIssued:
    """A job handed out; `rng_state` is the generator's state after drawing it."""

    job: Job
    rng_state: str
    kind: Literal["job_issued"] = "job_issued"


@dataclass(frozen=True)
class ResultAccepted:
    """The one result of a job."""

    result: MatchResult
    kind: Literal["result_accepted"] = "result_accepted"


@dataclass(frozen=True)
class ResultRefused:
    """A result that changed nothing but a counter."""

    job_id: str
    why: Refusal
    worker: str
    kind: Literal["result_refused"] = "result_refused"


@dataclass(frozen=True)
class LeasesExpired:
    """Jobs nobody reported in time."""

    job_ids: tuple[str, ...]
    kind: Literal["leases_expired"] = "leases_expired"


@dataclass(frozen=True)
class Published:
    """A learner's weights moved on."""

    player_id: str
    digest: str
    env_frames: int
    kind: Literal["published"] = "published"


@dataclass(frozen=True)
class SnapshotTaken:
    """A learner was frozen as `decision.snapshot`. Comes before the reset it decides."""

    decision: SnapshotDecision
    env_frames: int
    rng_state: str
    kind: Literal["snapshot_taken"] = "snapshot_taken"


@dataclass(frozen=True)
class LearnerReset:
    """A learner starts again from frozen player `start`, or goes on from it (reason pbt)."""

    learner: str
    start: str
    digest: str
    env_frames: int
    reason: Reason = Reason.RESET
    kind: Literal["learner_reset"] = "learner_reset"


@dataclass(frozen=True)
class PlayersEvicted:
    """Frozen players that training meets no longer; they stay in lineage and ratings."""

    player_ids: tuple[str, ...]
    kind: Literal["players_evicted"] = "players_evicted"


@dataclass(frozen=True)
class StagePassed:
    """A main player beat the opponents of its curriculum's stage; `stage` counts those it has passed."""

    learner: str
    stage: int
    kind: Literal["stage_passed"] = "stage_passed"


Event = (
    Configured
    | Enrolled
    | JobIssued
    | ResultAccepted
    | ResultRefused
    | LeasesExpired
    | Published
    | SnapshotTaken
    | LearnerReset
    | PlayersEvicted
    | StagePassed
)

_ADAPTER: Final[TypeAdapter[Event]] = TypeAdapter(
    Annotated[Event, Discriminator("kind")],
    config=ConfigDict(ser_json_inf_nan="constants"),  # the percent of a game that died may be NaN
)


def to_json(event: Event) -> bytes:
    """One event as a JSON object; `from_json(to_json(event)) == event`."""
    return _ADAPTER.dump_json(event)


def from_json(text: str | bytes) -> Event:
    """The event of a JSON object. Raises pydantic.ValidationError (a ValueError) for anything else."""
    return _ADAPTER.validate_json(text)
