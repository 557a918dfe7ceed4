"""How kernels are compiled: `kernel` for the parts, `entry_of` makes the decorator of what Python calls.

Only entries are cached on disk, with all their parts inside. Numba keys a cache by the file that holds the
function, so a change in another file would go unseen; here the key covers every file whose code or constants
end up inside. The first thing a process has to compile is told to the logger of this module.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from numba import njit
from numba.core.event import Event, Listener, register

_HERE = Path(__file__).parent

RECORDS: Final = tuple(_HERE / name for name in ("backend.py", "controller.py", "frame.py", "game.py", "jit.py"))
"""Files of the records and ids that every kernel is compiled against."""

kernel: Callable[..., Any] = njit
"""Decorator of a function that only kernels call."""


class _Announcer(Listener):
    """Tells of the first entry that numba compiles and does not find on the disk."""

    def __init__(self) -> None:
        self.entries: set[Any] = set()
        self._has_told = False

    def on_start(self, event: Event) -> None:
        if not self._has_told and event.data["dispatcher"] in self.entries:
            self._has_told = True
            logging.getLogger(__name__).info("compiling the game, once on this machine: a minute or two")

    def on_end(self, event: Event) -> None:
        """Nothing is said of the end: the work itself begins."""


_announcer: Final = _Announcer()
register("numba:compile", _announcer)


def sources_stamp(sources: Iterable[Path]) -> str:
    """Digest of the content of source files, whatever their order."""
    digest = hashlib.sha256()
    for file in sorted(sources):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def entry_of(sources: Iterable[Path]) -> Callable[[Callable[..., Any]], Any]:
    """Decorator of kernels that Python calls: compiled once per machine and version of the sources, without the GIL."""
    stamp = sources_stamp(sources)

    def entry(function: Callable[..., Any]) -> Any:
        dispatcher: Any = njit(cache=True, nogil=True)(function)
        dispatcher._cache._cache_file._source_stamp = stamp
        _announcer.entries.add(dispatcher)
        return dispatcher

    return entry
