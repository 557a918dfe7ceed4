"""Predict every recorded game given: rows, hits, contacts, exchanges, and the games that none can be made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from envs.game import character_id
from envs.sim.fidelity.combat import EXCHANGE, exchanges
from envs.sim.fidelity.contact import Contacts, contacts
from envs.sim.fidelity.hits import HIT, hits
from envs.sim.fidelity.predict import ROW, roll, rows_of
from envs.sim.fidelity.recording import Recording, RefusedGame, read_recording
from envs.sim.fidelity.split import half_of


class OfGame(NamedTuple):
    """What is predicted of one game."""

    rows: NDArray[np.void]  # ROW
    hits: NDArray[np.void]  # HIT
    exchanges: NDArray[np.void]  # EXCHANGE
    contacts: list[Contacts]


@dataclass(frozen=True)
class Predictions:
    """Predictions of many games; in rows, hits and exchanges `game` is an index of `games` and `contacts`."""

    rows: NDArray[np.void]
    hits: NDArray[np.void]
    exchanges: NDArray[np.void]
    contacts: list[list[Contacts]]
    games: list[str]  # file names
    refused: list[RefusedGame]

    def of_half(self, half: str) -> Predictions:
        """Only the predictions of games in one half of the committed split."""
        chosen = np.array([half_of(name) == half for name in self.games], np.bool_)
        return replace(
            self,
            rows=self.rows[chosen[self.rows["game"]]],
            hits=self.hits[chosen[self.hits["game"]]],
            exchanges=self.exchanges[chosen[self.exchanges["game"]]],
            contacts=[counts if mine else [] for counts, mine in zip(self.contacts, chosen, strict=True)],
        )


def predict_game(recording: Recording, index: int, steps: Sequence[int]) -> OfGame:
    """Everything that is predicted of one game, `steps` frames ahead; `index` becomes its rows' `game`."""
    rolled = roll(recording, sorted({1, *steps}))
    rows = rows_of(rolled, index, steps)
    touched = contacts(recording, rolled.games, rolled.predicted[1]) if 1 in rolled.predicted else []
    made = OfGame(rows, hits(recording, rolled.games), exchanges(recording, rolled.games), touched)
    made.hits["game"] = made.exchanges["game"] = index
    return made


def predict_games(
    paths: Iterable[Path],
    steps: Sequence[int] = (1, 10),
    character: str | None = None,
    done: Callable[[Path], None] = lambda path: None,
) -> Predictions:
    """Predict `steps` frames ahead from every frame of the games; `done` is called after each file.

    With `character`, only that fighter's rows and the hits by it are kept. Raises UnknownName for a character that
    the game lacks.
    """
    wanted = None if character is None else character_id(character)
    made: list[OfGame] = []
    games: list[str] = []
    refused: list[RefusedGame] = []
    for path in paths:
        try:
            recording = read_recording(path)
            made.append(_only(predict_game(recording, len(games), steps), wanted))
            games.append(recording.name)
        except RefusedGame as refusal:
            refused.append(refusal)
        done(path)
    return Predictions(
        np.concatenate([np.zeros(0, ROW), *(game.rows for game in made)]),
        np.concatenate([np.zeros(0, HIT), *(game.hits for game in made)]),
        np.concatenate([np.zeros(0, EXCHANGE), *(game.exchanges for game in made)]),
        [game.contacts for game in made],
        games,
        refused,
    )


def _only(made: OfGame, character: int | None) -> OfGame:
    if character is None:
        return made
    return OfGame(
        made.rows[made.rows["character"] == character],
        made.hits[made.hits["character"] == character],
        made.exchanges[made.exchanges["character"] == character],
        [counts for counts in made.contacts if counts.character == character],
    )
