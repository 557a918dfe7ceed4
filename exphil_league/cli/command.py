"""What every command shares: the `--json` flag and how results and errors reach the caller.

A command is a frozen dataclass whose fields are its arguments. Modules of commands import nothing heavy at
their top, so that `--help` answers at once; what a command needs it imports when it runs.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from typing import Annotated, Any

import tyro

from exphil_league.observe.console import say_what_compiles

MET, SHORT_OF_THRESHOLD, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130
"""Exit statuses."""


@dataclass(frozen=True)
class Outcome:
    """What a command found: the object `--json` prints, and the exit status."""

    result: dict[str, Any] = field(default_factory=dict)
    status: int = MET


@dataclass(frozen=True)
class Command:
    """Base of all commands."""

    json: Annotated[bool, tyro.conf.arg(help="print one JSON object as the last line of standard output")] = False

    def run(self) -> Outcome:
        """Do the work; human text goes to standard error. Raises UserError for bad input."""
        raise NotImplementedError


def execute(command: Command) -> int:
    """Run a command and print its result; returns the exit status. Bad input never shows a traceback."""
    say_what_compiles()
    try:
        if command.json:
            with stdout_to_stderr():
                outcome = command.run()
            print(json.dumps(outcome.result), flush=True)
        else:
            outcome = command.run()
    except KeyboardInterrupt:
        print("\nstopped", file=sys.stderr)
        return INTERRUPTED
    except Exception as error:
        from exphil_league.errors import user_message

        message = user_message(error)
        if message is None:
            raise
        print(f"error: {message}", file=sys.stderr)
        return BAD_INPUT
    return outcome.status


@contextmanager
def stdout_to_stderr() -> Iterator[None]:
    """Send whatever libraries and child processes print on standard output to standard error."""
    sys.stdout.flush()
    saved = os.dup(1)
    os.dup2(2, 1)
    try:
        with redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(saved, 1)
        os.close(saved)
