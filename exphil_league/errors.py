"""What went wrong on the user's side, in one clear message. The command line prints it and exits with 2."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from typing import Final

_DISK_FULL: Final = {errno.ENOSPC, errno.EDQUOT}
_PLACE_REFUSED: Final = {
    *(errno.EACCES, errno.EPERM, errno.EROFS),
    *(errno.ENOTDIR, errno.EISDIR, errno.EEXIST, errno.ENAMETOOLONG, errno.EFBIG),
}
"""What the system says of a path that is the user's to mend. A file that is missing or breaks may be our own bug."""


class UserError(Exception):
    """Bad input: the message names the file or key and says what to do. Never shown with a traceback."""


def user_message(error: BaseException) -> str | None:
    """The message for the user if `error`, or what caused it, is bad input, a full disk or a path refused; else None.

    The packages below the platform know no UserError: there every subclass of ValueError is bad input with a
    message of the same kind. Errors that crossed a Ray actor come wrapped; their causes are looked at too.
    """
    for cause in _causes(error):
        if isinstance(cause, UserError) or _is_lower_level_refusal(cause):
            return str(cause)
        if isinstance(cause, OSError) and (told := _system_refusal(cause)) is not None:
            return told
    return None


def _system_refusal(error: OSError) -> str | None:
    if error.errno in _DISK_FULL:
        where = f" at {error.filename}" if error.filename else ""
        return f"the disk is full{where}; what was written before is kept: make room and start again"
    if error.errno in _PLACE_REFUSED and error.filename:
        return f"{error.filename}: {(error.strerror or '').lower()}; check the path, or name another place"
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
