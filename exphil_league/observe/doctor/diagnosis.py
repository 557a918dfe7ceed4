"""Which checks are made for a backend, what a person reads of them, and the object that `--json` prints."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from envs.backends import known_backend
from envs.dolphin.config import DolphinConfig
from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.standin.scenario import SCRIPTED, Scenario
from exphil_league.errors import UserError
from exphil_league.observe.console import say
from exphil_league.observe.doctor.check import Check, Finding, bad, examine, fine
from exphil_league.observe.doctor.machine import machine_checks

SCENARIO: Final = Scenario(content=SCRIPTED, scripted_frames=2400)
"""What the stand-in plays: a stock is lost every 600 frames. The simulator would first have to be compiled."""
SHOWN_S: Final = 0.1
"""Shorter checks show no time."""
NO_DOLPHIN: Final = Check(
    "dolphin",
    lambda: fine(
        "none in the usual places; the simulator does without",
        "the real game needs one: docs/dolphin.md; --backend standin rehearses it",
    ),
)


def diagnose(backend: str | None, dolphin: Path | None = None, iso: Path | None = None) -> dict[str, Any]:
    """Make all checks, telling of each as it goes: {"ok", "checks", "frames", "processes_left"}.

    backend: `sim` looks at this machine only, `dolphin` and `standin` also run an emulator; None: `dolphin` where one
    is found. Raises UserError for arguments that do not go together, UnknownBackend.
    """
    if backend is None:
        backend = "dolphin" if dolphin or iso or _dolphin_is_here() else None
    elif known_backend(backend) != "dolphin" and (dolphin or iso):
        raise UserError(f"--dolphin and --iso mean nothing to --backend {backend}: leave them out, or it")
    if backend in (None, "sim"):
        return _result(_examined([*machine_checks(), *([] if backend else [NO_DOLPHIN])]))
    config = DolphinConfig(path=dolphin, iso=iso)
    return diagnose_emulator(config, SCENARIO if backend == "standin" else None, machine_checks())


def diagnose_emulator(
    config: DolphinConfig, scenario: Scenario | None = None, before: Sequence[Check] = ()
) -> dict[str, Any]:
    """The checks `before`, then an emulator's; see `diagnose`.

    scenario: of a stand-in that takes Dolphin's place. Whatever happens, what was started is ended.
    """
    try:
        from exphil_league.observe.doctor.course import Course
        from exphil_league.observe.doctor.installation import Installation
    except ImportError as error:
        broken = bad(f"cannot be loaded: {error}", "install the base packages again: pip install exphil-league")
        return _result(_examined([*before, Check("libmelee", lambda: broken)]))
    installation = Installation(config, scenario)
    with closing(Course(installation)) as course:
        findings = _examined([*before, *installation.checks(), *course.checks()])
        return _result(findings, course.frames, course.processes_left)


def _dolphin_is_here() -> bool:
    from envs.dolphin.places import find_dolphin
    from envs.dolphin.posix import require_linux

    try:
        require_linux()
        find_dolphin()
    except DolphinSetupError:
        return False
    return True


def _examined(checks: Sequence[Check]) -> list[Finding]:
    shown = _Shown(max(len(check.name) for check in checks))
    findings = examine(checks, shown.tell, shown.begin)
    to_mend = [finding.name for finding in findings if finding.ran and not finding.ok]
    seconds = sum(finding.seconds for finding in findings)
    say("", f"{sum(finding.ok for finding in findings)} of {len(findings)} checks are fine, {seconds:.0f} s")
    if to_mend:
        say(f"to mend: {', '.join(to_mend)}")
    return findings


def _result(findings: Sequence[Finding], frames: int = 0, processes_left: int = 0) -> dict[str, Any]:
    return {
        "ok": all(finding.ok for finding in findings),
        "checks": [finding.as_json() for finding in findings],
        "frames": frames,
        "processes_left": processes_left,
    }


class _Shown:
    """A line for each check, and one for what is to be done."""

    def __init__(self, width: int) -> None:
        self._width, self._terminal = width, sys.stderr.isatty()

    def begin(self, check: Check) -> None:
        if self._terminal:
            sys.stderr.write(f"...     {check.name}\r")
            sys.stderr.flush()

    def tell(self, finding: Finding) -> None:
        word = "ok" if finding.ok else "FAILED" if finding.ran else "not run"
        took = f"  ({finding.seconds:.1f} s)" if finding.seconds >= SHOWN_S else ""
        first, *more = finding.answer.found.splitlines() or [""]
        say(f"{word:<8}{finding.name:<{self._width}}  {first}{took}", *(f"{'':<10}{line}" for line in more))
        if finding.answer.remedy and finding.ran:
            say(f"{'':<8}-> {finding.answer.remedy}")
