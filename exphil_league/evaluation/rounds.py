"""Rating rounds beside the training: every so many updates some rating games, in the process or in a Ray actor."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from envs.dolphin.config import DolphinConfig
from exphil_league.evaluation.rating_games import LoadAgent, RatingLeague, play_rating_games


@dataclass(frozen=True)
class RoundSettings:
    """What a round is; plain data and picklable functions, so that it can be sent to an actor."""

    open_league: Callable[[], RatingLeague]
    load_agent: LoadAgent
    backend_name: str
    at_once: int
    games: int
    every_updates: int
    in_process: bool
    """Play rounds here, one after the other with the training, instead of in an actor beside it."""
    dolphin: DolphinConfig | None = None
    """How the backends dolphin and standin run their emulators."""


def play_round(settings: RoundSettings) -> int:
    """One round; returns the games played."""
    return play_rating_games(
        settings.open_league(),
        settings.load_agent,
        backend_name=settings.backend_name,
        dolphin=settings.dolphin,
        at_once=settings.at_once,
        games=settings.games,
    )


class Rounds:
    """Starts rounds when they are due. A round that is due while the last one goes on is left out."""

    def __init__(self, settings: RoundSettings) -> None:
        self._settings = settings
        self._actor: Any = None
        self._running: Any = None

    def after_update(self, updates: int) -> None:
        """Called after each learner update. Raises what a finished round raised."""
        if updates % self._settings.every_updates:
            return
        if self._settings.in_process:
            play_round(self._settings)
        else:
            self._start_in_actor()

    def close(self) -> None:
        """Stop the round that goes on; its unfinished games are not counted."""
        if self._actor is not None:
            import ray

            ray.kill(self._actor)
            self._actor = self._running = None

    def _start_in_actor(self) -> None:
        import ray

        if self._actor is None:
            self._actor = ray.remote(num_cpus=0)(_Referee).remote(self._settings)
        if self._running is not None:
            finished, _ = ray.wait([self._running], timeout=0)
            if not finished:
                return
            ray.get(self._running)
        self._running = self._actor.play.remote()


class _Referee:
    """The actor: plays rounds one at a time, with one thread."""

    def __init__(self, settings: RoundSettings) -> None:
        import torch

        torch.set_num_threads(1)
        self._settings = settings

    def play(self) -> int:
        return play_round(self._settings)
