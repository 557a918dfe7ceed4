"""One check: a name, what it needs, a question with a time limit. A list of them is asked in order, come what may."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Final

from envs.dolphin.errors import DolphinSetupError
from exphil_league.errors import user_message

LIMIT_S: Final = 30.0


@dataclass(frozen=True)
class Answer:
    """What a check found."""

    ok: bool
    found: str
    remedy: str = ""
    """What to do; also beside what is endured."""


def fine(found: str, remedy: str = "") -> Answer:
    """All is well, or well enough."""
    return Answer(True, found, remedy)


def bad(found: str, remedy: str) -> Answer:
    """Something is to be done."""
    return Answer(False, found, remedy)


class Trouble(Exception):
    """Ends a check with this answer."""

    def __init__(self, found: str, remedy: str) -> None:
        super().__init__(found)
        self.answer = bad(found, remedy)


@dataclass(frozen=True)
class Check:
    """Something to look at."""

    name: str
    ask: Callable[[], Answer]
    """Raises Trouble, DolphinSetupError or UserError instead of an answer where that is shorter."""
    needs: tuple[str, ...] = ()
    """Names of earlier checks without which it makes no sense."""
    limit_s: float = LIMIT_S


@dataclass(frozen=True)
class Finding:
    """A check and its answer."""

    name: str
    answer: Answer
    seconds: float
    ran: bool = True

    @property
    def ok(self) -> bool:
        return self.answer.ok

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "ok": self.ok, "found": self.answer.found, "remedy": self.answer.remedy}


def examine(
    checks: Sequence[Check], tell: Callable[[Finding], object], begin: Callable[[Check], object] = lambda _: None
) -> list[Finding]:
    """Ask all checks in order, each told when it begins and when it is answered.

    One whose needs have failed is not run, which is told as a failure of its own with that reason.
    """
    by_name: dict[str, Finding] = {}
    for check in checks:
        begin(check)
        failed = [name for name in check.needs if not by_name[name].ok]
        by_name[check.name] = _not_run(check, failed) if failed else _asked(check)
        tell(by_name[check.name])
    return list(by_name.values())


def _not_run(check: Check, failed: list[str]) -> Finding:
    return Finding(check.name, bad(f"not run: it needs {', '.join(failed)}", "mend that first"), 0.0, ran=False)


def _asked(check: Check) -> Finding:
    began = time.monotonic()
    try:
        with time_limit(check.limit_s):
            answer = check.ask()
    except Exception as error:  # whatever a broken machine makes of a check is a finding
        answer = _answer_of(error)
    return Finding(check.name, answer, time.monotonic() - began)


def _answer_of(error: Exception) -> Answer:
    if isinstance(error, Trouble):
        return error.answer
    if isinstance(error, DolphinSetupError):
        return bad(error.found, error.remedy)
    told = user_message(error)
    return bad(told or f"{type(error).__name__}: {error}", "" if told else "this is unexpected: please report it")


@contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raises Trouble in the body when it takes longer. Without effect off the main thread and on Windows."""
    if not hasattr(signal, "setitimer") or threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:
        raise Trouble(f"no answer within {seconds:g} s", "try again when the machine is less busy")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
