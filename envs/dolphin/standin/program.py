"""The stand-in as an executable: the small launcher that is written, and its command line."""

from __future__ import annotations

import argparse
import os
import shlex
import stat
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal, NamedTuple, get_args

BuildName = Literal["mainline", "mainline-exiai", "ishiiruka", "ishiiruka-exiai"]
VERSION: Final = "3.4.0-standin"


class VersionAnswer(NamedTuple):
    """What `--version` answers; libmelee tells the builds apart by it."""

    out: str
    err: str
    status: int


ANSWERS: Final[dict[BuildName, VersionAnswer]] = {
    "mainline": VersionAnswer(f"Slippi Dolphin {VERSION} mainline", "", 0),
    "mainline-exiai": VersionAnswer(f"Slippi Dolphin {VERSION} mainline ExiAI", "", 0),
    "ishiiruka": VersionAnswer(VERSION, "", 255),
    "ishiiruka-exiai": VersionAnswer("", f"Faster Melee - Slippi ({VERSION}) - ExiAI", 1),
}


def launcher(build: BuildName) -> str:
    """The text of the launcher: this Python, with the project on its path, and no idle thread of numpy's per core."""
    root = shlex.quote(str(Path(__file__).parents[3]))
    command = shlex.join([sys.executable, "-m", "envs.dolphin.standin", "--build", build])
    lines = (
        "#!/bin/sh",
        f'export PYTHONPATH={root}"${{PYTHONPATH:+:$PYTHONPATH}}" OPENBLAS_NUM_THREADS=1',
        f'exec {command} "$@"',
    )
    return "\n".join(lines) + "\n"


def write_executable(folder: Path, build: BuildName = "mainline") -> Path:
    """An executable that answers and behaves as a Slippi Dolphin of this build; returns its path."""
    path = folder / f"dolphin-standin-{build}"
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_text(launcher(build), encoding="utf-8")
    part.chmod(part.stat().st_mode | stat.S_IXUSR)
    os.replace(part, path)
    return path


def main(arguments: Sequence[str] | None = None) -> int:
    """Dolphin's command line; returns the exit status."""
    parser = argparse.ArgumentParser(prog="dolphin-standin", description=__doc__)
    parser.add_argument("--build", choices=get_args(BuildName), default="mainline", help="build that is imitated")
    parser.add_argument("--version", action="store_true")
    parser.add_argument("-e", "--exec", type=Path, metavar="ISO", help="the scenario")
    parser.add_argument("-u", "--user", type=Path, metavar="FOLDER", help="Dolphin's user folder")
    parser.add_argument("-b", "--batch", action="store_true")
    parser.add_argument("-p", "--platform", default="", help="means nothing here: there is no window")
    given = parser.parse_args(arguments)
    if given.version:
        answer = ANSWERS[given.build]
        print(answer.out, end="\n" if answer.out else "")
        print(answer.err, end="\n" if answer.err else "", file=sys.stderr)
        return answer.status
    if given.exec is None or given.user is None:
        parser.error("-e ISO and -u FOLDER are needed")
    from envs.dolphin.standin.emulator import run

    return run(given.exec, given.user, given.build)
