"""The backends by name, each imported only when it is asked for."""

from __future__ import annotations

import difflib
from typing import Final

from envs.backend import Backend

BACKENDS: Final = ("sim",)
"""Names `make_backend` knows."""


class UnknownBackend(ValueError):
    """A backend name that does not exist; the message names those that do."""


def known_backend(name: str) -> str:
    """`name`, if there is such a backend. Raises UnknownBackend."""
    if name in BACKENDS:
        return name
    close = difflib.get_close_matches(name, BACKENDS, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(BACKENDS)}"
    raise UnknownBackend(f"unknown backend {name!r}; {hint}")


def make_backend(name: str, num_games: int) -> Backend:
    """A backend that plays `num_games` games at once. Raises UnknownBackend."""
    known_backend(name)
    from envs.sim.batch import SimBackend

    return SimBackend(num_games)
