"""The backends by name, each imported only when it is asked for."""

from __future__ import annotations

import difflib
from typing import Final

from envs.backend import Backend
from envs.dolphin.config import DolphinConfig

BACKENDS: Final = ("sim", "dolphin", "standin")
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


def make_backend(name: str, num_games: int, dolphin: DolphinConfig | None = None) -> Backend:
    """A backend that plays `num_games` games at once.

    dolphin: how `dolphin` and `standin` run their emulators. Raises UnknownBackend, DolphinSetupError.
    """
    known_backend(name)
    if name == "sim":
        from envs.sim.batch import SimBackend

        return SimBackend(num_games)
    if name == "standin":
        from envs.dolphin.standin.backend import StandInBackend

        return StandInBackend(num_games, dolphin or DolphinConfig())
    from envs.dolphin.backend import DolphinBackend

    return DolphinBackend(num_games, dolphin or DolphinConfig())
