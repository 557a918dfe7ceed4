"""Slippi's replays of a session: made whole, named, and fetched from where a killed session left them."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from envs.dolphin.home import EMULATORS, run_dir
from envs.slippi.errors import ReplayError
from envs.slippi.repair import repair

QUIET_S: Final = 10.0
"""A replay that was written to within so many seconds may still be somebody's."""


def collect(folders: list[Path], out: Path) -> list[Path]:
    """Move the replays of closed emulators to `out`, `out`-2, ...; returns where they are, in the games' order."""
    kept: list[Path] = []
    for folder in folders:
        for replay in _made_whole(folder):
            target = out if not kept else out.with_name(f"{out.stem}-{len(kept) + 1}{out.suffix}")
            os.replace(replay, target)
            kept.append(target)
        _remove_if_empty(folder)
    return kept


def rescue(folder: Path, homes: Path | None) -> list[Path]:
    """Make whole what sessions that were killed left in a folder; returns those replays, which lie beside the others.

    homes: as DolphinConfig.run_dir. Whoever still has a home there is alive, and is left alone.
    """
    left = [one for one in folder.glob(EMULATORS) if one.is_dir() and not (run_dir(homes) / one.name).exists()]
    saved: list[Path] = []
    for one in filter(_is_quiet, left):
        for replay in _made_whole(one):
            target = folder / f"{replay.stem}-{one.name.rpartition('-')[2]}.slp"
            os.replace(replay, target)
            saved.append(target)
        _remove_if_empty(one)
    return saved


def _made_whole(folder: Path) -> Iterator[Path]:
    """The games in a folder, oldest first; what has not a single frame is removed."""
    for file in sorted(folder.glob("*.slp*")):
        try:
            yield repair(file)
        except ReplayError:
            file.unlink()


def _is_quiet(folder: Path) -> bool:
    return all(time.time() - file.stat().st_mtime > QUIET_S for file in folder.iterdir())


def _remove_if_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
