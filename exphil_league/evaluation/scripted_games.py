"""Games of scripted players as .slp files: what a newcomer without replays learns to play from."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.backend import Backend, Matchup
from envs.backends import make_backend
from envs.slippi.write import ended, meta_from_frame, write_game
from exphil_league.evaluation.matches import columns_needed, play_matches, result_row
from exphil_league.league.model import Branch, Job, MatchResult, Purpose
from exphil_league.observe.progress import progress
from policies.scripted import make_scripted, scripted_digest

TEACHERS = (("fighter", "fighter"), ("fighter", "fighter"), ("fighter", "attacker"), ("attacker", "fighter"))
"""Who meets whom, in turn. Mostly the strongest, whose style differs from game to game; the others show it
situations it would not get itself into."""
MAX_AT_ONCE = 32


def make_scripted_games(
    folder: Path, count: int, seed: int, matchups: Sequence[Matchup], backend: Backend | None = None
) -> list[Path]:
    """Play `count` games of scripted players, matchups in turn, and write each into `folder` as it ends.

    One seed and batch size, one set of files. A backend of one's own is left open; by default the simulator plays.
    Returns the files' paths in order of game number.
    """
    folder.mkdir(parents=True, exist_ok=True)
    mine = backend or make_backend("sim", min(count, MAX_AT_ONCE))
    capacity = columns_needed(mine.num_games)
    players = {name: make_scripted(name, capacity, seed) for pair in TEACHERS for name in pair}
    with progress("scripted games", total=count, unit="games") as shown:

        def save(job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
            save_game(folder / f"{job.job_id}.slp", job, result, frames)
            shown.advance(1)

        play_matches(
            mine,
            _jobs(count, seed, matchups),
            lambda name, digest: players[name],
            on_game=save,
            record=lambda job: True,
        )
    if backend is None:
        mine.close()
    return [folder / f"{_name(number)}.slp" for number in range(count)]


def save_game(path: Path, job: Job, result: MatchResult, frames: NDArray[np.void]) -> None:
    """Write a recorded game with its players' names and its end."""
    meta = ended(meta_from_frame(frames[0], job.players), result_row(result))
    path.parent.mkdir(parents=True, exist_ok=True)
    write_game(path, frames, meta)


def _name(number: int) -> str:
    return f"scripted-{number:05d}"


def _jobs(count: int, seed: int, matchups: Sequence[Matchup]) -> list[Job]:
    """Each pair of teachers goes through all matchups before its turn comes again."""
    turns = [(pair, matchup) for matchup in matchups for pair in TEACHERS]
    return [
        Job(
            job_id=_name(number),
            players=pair,
            digests=(scripted_digest(pair[0]), scripted_digest(pair[1])),
            matchup=matchup,
            branch=Branch.EVALUATION,
            learner_sides=(False, False),
            seed=(seed * 1_000_003 + number) % 2**63,
            lease_until=float("inf"),
            purpose=Purpose.EVALUATE,
        )
        for number, (pair, matchup) in enumerate(islice(cycle(turns), count))
    ]
