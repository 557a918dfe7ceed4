"""What went wrong on the user's side, in one clear message. The command line prints it and exits with 2."""

from __future__ import annotations

import errno
from collections.abc import Iterator


class UserError(Exception):
    """Bad input: the message names the file or key and says what to do. Never shown with a traceback."""


def user_message(error: BaseException) -> str | None:
    """The message for the user if `error`, or what caused it, is bad input or a full disk; else None.

    The packages below the platform know no UserError: there every subclass of ValueError is bad input with a
    message of the same kind. Errors that crossed a Ray actor come wrapped; their causes are looked at too.
    """
    for cause in _causes(error):
        if isinstance(cause, UserError) or _is_lower_level_refusal(cause):
            return str(cause)
        if isinstance(cause, OSError) and cause.errno == errno.ENOSPC:
            where = f" at {cause.filename}" if cause.filename else ""
            return f"the disk is full{where}; what was written before is kept: make room and start again"
    return None


def _is_lower_level_refusal(error: BaseException) -> bool:
    package = type(error).__module__.partition(".")[0]
    return isinstance(error, ValueError) and package in {"envs", "policies"}


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    here: BaseException | None = error
    while here is not None and id(here) not in seen:
        seen.add(id(here))
        yield here
        wrapped = getattr(here, "cause", None)
        here = wrapped if isinstance(wrapped, BaseException) else here.__cause__ or here.__context__
