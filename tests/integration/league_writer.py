"""A process that plays a league as fast as it can and tells every acknowledged job id. The tests kill it."""

from __future__ import annotations

import zlib
from multiprocessing.connection import Connection
from pathlib import Path

from exphil_league.league.core import League
from exphil_league.league.model import Outcome
from exphil_league.league.service import LocalLeague
from exphil_league.league.state import LeagueState
from tests.league_play import ROSTER, SETUP, Clock, result_of

JOBS = 5
FRAMES = 50


def step(league: League | LocalLeague, state: LeagueState) -> list[str]:
    """One call of the league, chosen by its state alone: whoever goes on from a state makes the same one.

    Returns the ids it acknowledged.
    """
    jobs, issued = list(state.open_jobs.values()), len(state.job_status)
    frames = state.learners["main"].env_frames
    if jobs:
        results = [result_of(job, list(Outcome)[zlib.crc32(job.job_id.encode()) % 4]) for job in jobs]
        return league.report(results + results[:1])[: len(results)]
    if frames < issued // JOBS * FRAMES:
        league.maybe_snapshot("main", f"main-{frames + FRAMES}", frames + FRAMES)
    elif issued // JOBS % 3:
        league.request_jobs("main", None, JOBS)
    else:
        league.request_evaluation(JOBS)
    return []


def write(run: Path, said: Connection) -> None:
    """Play until killed."""
    league = LocalLeague(run, SETUP, 0, Clock())
    league.enrol(ROSTER)
    said.send("ready")
    while True:
        if acknowledged := step(league, league._league.state):
            said.send(acknowledged)
