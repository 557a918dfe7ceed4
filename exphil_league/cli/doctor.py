"""`doctor`: is this machine able to do what the user wants?"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from exphil_league.cli.command import SHORT_OF_THRESHOLD, Command, Outcome


@dataclass(frozen=True, kw_only=True)
class Doctor(Command):
    """Check this machine, and Slippi Dolphin by playing a game on it; exit status 1 if a check failed."""

    backend: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """sim: this machine only; dolphin: the real game too; standin: the same without a Dolphin and an ISO; default:
    dolphin where one is found"""
    dolphin: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """Slippi Dolphin's executable or AppImage; default: looked for where the Slippi launcher installs it"""
    iso: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """ISO of Melee, NTSC 1.02; default: the Slippi launcher's, or one in the usual folders"""

    def run(self) -> Outcome:
        from exphil_league.observe.doctor.diagnosis import diagnose

        result = diagnose(self.backend, self.dolphin, self.iso)
        return Outcome(result, 0 if result["ok"] else SHORT_OF_THRESHOLD)
