"""Predict every recorded game given and keep what cannot be: the rows, the games, the refusals."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from envs.game import character_id
from envs.sim.fidelity.predict import ROW, predict
from envs.sim.fidelity.recording import RefusedGame, read_recording


@dataclass
class Predictions:
    """Predictions of many games."""

    rows: NDArray[np.void] = field(default_factory=lambda: np.zeros(0, ROW))
    games: list[str] = field(default_factory=list)
    """File names; a row's `game` is an index here."""
    refused: list[RefusedGame] = field(default_factory=list)


def predict_games(
    paths: Iterable[Path],
    steps: Sequence[int] = (1, 10),
    character: str | None = None,
    done: Callable[[Path], None] = lambda path: None,
) -> Predictions:
    """Predict `steps` frames ahead from every frame of the games; `done` is called after each file.

    With `character`, only rows of that fighter are kept. Raises UnknownName for a character that the game lacks.
    """
    wanted = None if character is None else character_id(character)
    made = Predictions()
    pieces = []
    for path in paths:
        try:
            recording = read_recording(path)
            rows = predict(recording, len(made.games), steps)
            pieces.append(rows if wanted is None else rows[rows["character"] == wanted])
            made.games.append(recording.name)
        except RefusedGame as refused:
            made.refused.append(refused)
        done(path)
    if pieces:
        made.rows = np.concatenate(pieces)
    return made
