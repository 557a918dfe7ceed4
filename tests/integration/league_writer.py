"""A process that plays a league as fast as it can and prints every acknowledged job id. The tests kill it."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from exphil_league.league.model import Outcome
from exphil_league.league.service import LocalLeague
from tests.league_play import ROSTER, SETUP, result_of


def main(run: Path) -> None:
    league = LocalLeague(run, SETUP, seed=0)
    league.enrol(ROSTER)
    rng = np.random.default_rng()
    outcomes = list(Outcome)
    print("ready", flush=True)
    while True:
        jobs = league.request_jobs("main", None, 4) + league.request_evaluation(2)
        results = [result_of(job, outcomes[int(rng.integers(4))]) for job in jobs]
        for acknowledged in league.report(results + results[:1])[: len(results)]:
            print(acknowledged, flush=True)
        frames = league.learner("main").env_frames + 50
        league.maybe_snapshot("main", f"main-{frames}", frames)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
