"""Objects of this process that a pickled config may refer to by name: serial mode's one league, a test's fakes.

RLlib copies and pickles its config even when everything runs in one process, and an open league can be neither
copied nor pickled. What travels is a function that finds it by name.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

_SHARED: dict[str, Any] = {}
T = TypeVar("T")


def share(name: str, value: T) -> Callable[[], T]:
    """Make `value` known as `name` in this process; returns a picklable function that gives it back here."""
    _SHARED[name] = value
    return partial(_find, name)


def _find(name: str) -> Any:
    if name not in _SHARED:
        raise RuntimeError(f"{name!r} was shared in another process; serial mode keeps everything in one")
    return _SHARED[name]
