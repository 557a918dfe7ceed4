"""`bench replays`: how fast games come from .slp files, against peppi alone.

CPU time, not wall time, and both readers take turns on each file, so that other load on the machine weighs on
both alike. peppi alone means its full parse into Arrow arrays; ours is that parse plus the copy into frames.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from envs.backend import Matchup
from envs.frame import FIRST_FRAME, empty_frames
from envs.slippi.errors import ReplayError
from envs.slippi.read import read_game
from envs.slippi.write import write_game
from exphil_league.errors import UserError
from exphil_league.observe.progress import progress
from exphil_league.replays.scan import replay_files

SYNTHETIC_GAMES, SYNTHETIC_FRAMES = 8, 9000


def measure_replays(directory: Path | None = None, passes: int = 4, budget_s: float = 40.0) -> dict[str, Any]:
    """Files per CPU-second of `read_game` and of peppi alone over the readable files of a folder.

    {"files", "frames", "files_per_cpu_s", "peppi_files_per_cpu_s", "ratio", "frames_per_cpu_s", "source"}: best of
    `passes` per file and reader; a pass over the folder that would exceed `budget_s` of wall time is cut short.
    Without a folder a few synthetic games are written and read. Raises UserError when no file can be read.
    """
    if directory is not None:
        return _measured(replay_files(directory), passes, budget_s) | {"source": str(directory)}
    with tempfile.TemporaryDirectory() as folder:
        return _measured(_synthetic_games(Path(folder)), passes, budget_s) | {"source": "synthetic"}


def _measured(paths: tuple[Path, ...], passes: int, budget_s: float) -> dict[str, Any]:
    start_s = time.monotonic()
    runs: dict[Path, list[_Run]] = {}
    with progress("reading replays", total=passes * len(paths), unit="files") as shown:
        for turn in range(passes):
            for path in paths:
                shown.advance()
                late = time.monotonic() - start_s > budget_s
                run = None if turn and (late or path not in runs) else _timed(path)
                if run is not None:
                    runs.setdefault(path, []).append(run)
    if not runs:
        raise UserError(f"{paths[0].parent}: none of {len(paths)} files is a readable game; `replays scan` says why")
    frames = sum(turns[0].frames for turns in runs.values())
    ours_s = sum(min(run.ours_s for run in turns) for turns in runs.values())
    peppi_s = sum(min(run.peppi_s for run in turns) for turns in runs.values())
    return {
        "files": len(runs),
        "frames": frames,
        "files_per_cpu_s": round(len(runs) / ours_s, 2),
        "peppi_files_per_cpu_s": round(len(runs) / peppi_s, 2),
        "ratio": round(peppi_s / ours_s, 4),
        "frames_per_cpu_s": round(frames / ours_s),
    }


class _Run(NamedTuple):
    """One file read once by each reader."""

    frames: int
    ours_s: float
    peppi_s: float


def _timed(path: Path) -> _Run | None:
    """CPU seconds of both readers for a file; None when it is no game."""
    from peppi_py import read_slippi

    start = time.process_time()
    try:
        frames = len(read_game(path).frames)
    except ReplayError:
        return None
    between = time.process_time()
    read_slippi(str(path))
    return _Run(frames, between - start, time.process_time() - between)


def _synthetic_games(folder: Path) -> tuple[Path, ...]:
    """Games of the usual length with numbers that change every frame, in a folder of their own."""
    rng = np.random.default_rng(0)
    matchup = Matchup().row()
    paths = tuple(folder / f"{index}.slp" for index in range(SYNTHETIC_GAMES))
    for path in paths:
        frames = empty_frames(SYNTHETIC_FRAMES)
        frames["frame"] = FIRST_FRAME + np.arange(SYNTHETIC_FRAMES)
        frames["stage"], frames["frames_left"] = matchup["stage"], -1
        frames["seed"] = rng.integers(0, 2**32, SYNTHETIC_FRAMES, dtype=np.uint32)
        frames["ports"] = (0, 1)
        player = frames["players"][:, :, 0]
        player["character"], player["stocks"] = matchup["character"], matchup["stocks"]
        for name in ("x", "y", "percent", "state_age", "speed_y"):
            player[name] = rng.normal(0, 30, player.shape)
        player["action"] = rng.integers(0, 340, player.shape)
        write_game(path, frames)
    return paths
