"""Scripted players of graded strength: the fixed anchors of every rating, and a newcomer's first teachers.

`idle` presses nothing, `random` mashes, and `walker` < `attacker` < `fighter` share one brain: a table of
skills says how often each uses what the brain knows (shield, tech, DI, L-cancel, punishes, the way back to
the stage). They see the same FRAME as everyone and press the same action parts. In every game a player draws
a style around its grade's skills, so that a set of games is varied; the seed decides all of it.

Whatever changes how one of them plays must raise SCRIPTED_VERSION: ladders are anchored on them.
"""

from __future__ import annotations

import difflib
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from envs.controller import NEUTRAL_PARTS, PARTS
from envs.frame import words_f32, words_i32
from policies.agent import Agent, SeatView
from policies.scripted_kernel import mash, think
from policies.scripted_pad import MEMORY, SKILL
from policies.scripted_repertoire import repertoire_table
from policies.scripted_senses import SENSES, outline_table

SCRIPTED_VERSION: Final = 3

GRADES: Final[dict[str, dict[str, float]]] = {
    "walker": {"attack": 0.02, "punish": 0.03, "double_jump": 1.0},
    "attacker": {
        "attack": 0.12,
        "punish": 0.15,
        "dash": 1.0,
        "aerial": 0.03,
        "double_jump": 1.0,
        "up_special": 1.0,
        "finish": 1.0,
        "fast_fall": 0.2,
        "special": 0.1,
        "grab": 0.1,
    },
    "fighter": {
        "attack": 0.35,
        "punish": 0.8,
        "dash": 1.0,
        "aerial": 0.1,
        "double_jump": 1.0,
        "up_special": 1.0,
        "side_special": 0.35,
        "guard": 0.25,
        "survive": 0.9,
        "tech": 0.75,
        "l_cancel": 0.9,
        "fast_fall": 0.8,
        "careful": 1.0,
        "finish": 1.0,
        "dodge": 0.004,
        "wavedash": 0.01,
        "special": 0.35,
        "grab": 0.5,
    },
}
"""Skills (policies.scripted_pad.SKILL) of each grade; what is left out is 0."""
SCRIPTED: Final = ("idle", "random", *GRADES)
"""Names of all scripted players, weakest first."""

_STYLE_SPREAD: Final = 0.35
"""A chance skill of a game is its grade's times e^u, u uniform within this bound."""


class UnknownScriptedPlayer(ValueError):
    """A scripted player's name that does not exist; the message names those that do."""


def scripted_digest(name: str) -> str:
    """Digest of a scripted player: `scripted:NAME@VERSION`."""
    return f"scripted:{name}@{SCRIPTED_VERSION}"


def make_scripted(name: str, capacity: int, seed: int) -> Agent:
    """A scripted player with memory for `capacity` columns. Raises UnknownScriptedPlayer."""
    if name == "idle":
        return IdleAgent(capacity)
    if name == "random":
        return RandomAgent(capacity, seed)
    if name in GRADES:
        return GradedAgent(name, capacity, seed)
    close = difflib.get_close_matches(name, SCRIPTED, n=1)
    hint = f"did you mean {close[0]}?" if close else f"known: {', '.join(SCRIPTED)}"
    raise UnknownScriptedPlayer(f"unknown scripted player {name!r}; {hint}")


class _Scripted:
    """Name, digest and a random stream that begins anew, and differently, with every game of a column."""

    def __init__(self, name: str, capacity: int, seed: int) -> None:
        self.name, self.capacity, self.digest = name, capacity, scripted_digest(name)
        self._seed = seed
        self._games = np.zeros(capacity, np.int64)
        self._memory = np.zeros(capacity, MEMORY)

    def reset(self, columns: NDArray[np.int64]) -> None:
        self._memory[columns] = np.zeros((), MEMORY)
        for column in columns:
            self._begin(int(column))
            self._games[column] += 1

    def _begin(self, column: int) -> None:
        stream = np.random.SeedSequence((self._seed, column, int(self._games[column])))
        self._memory["rng"][column] = stream.generate_state(1, np.uint64)[0]

    def get_state(self) -> dict[str, Any]:
        """Memory of all columns and how many games each has begun."""
        return {"games": self._games.copy(), "memory": self._memory.copy()}

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state` of a player of this name and capacity."""
        self._games[...] = state["games"]
        self._memory[...] = state["memory"]


class IdleAgent(_Scripted):
    """Presses nothing."""

    def __init__(self, capacity: int) -> None:
        super().__init__("idle", capacity, seed=0)

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        return np.tile(NEUTRAL_PARTS, (len(columns), 1))


class RandomAgent(_Scripted):
    """Mashes: every part keeps its value for ten frames on average."""

    def __init__(self, capacity: int, seed: int) -> None:
        super().__init__("random", capacity, seed)
        self._held = np.tile(NEUTRAL_PARTS, (capacity, 1))

    def reset(self, columns: NDArray[np.int64]) -> None:
        super().reset(columns)
        self._held[columns] = NEUTRAL_PARTS

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        parts = np.empty((len(columns), len(PARTS)), np.uint8)
        mash(columns, self._memory, self._held, parts)
        return parts

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"held": self._held.copy()}

    def set_state(self, state: dict[str, Any]) -> None:
        super().set_state(state)
        self._held[...] = state["held"]


class GradedAgent(_Scripted):
    """A grade of the shared brain."""

    def __init__(self, name: str, capacity: int, seed: int) -> None:
        super().__init__(name, capacity, seed)
        self._skills = np.array([GRADES[name].get(skill, 0.0) for skill in SKILL.names or ()], np.float32)
        self._senses = np.zeros(1, SENSES)
        self._outlines, self._repertoires = outline_table(), repertoire_table()

    def _begin(self, column: int) -> None:
        super()._begin(column)
        style = np.random.default_rng((self._seed, column, int(self._games[column])))
        noise = np.exp(style.uniform(-_STYLE_SPREAD, _STYLE_SPREAD, len(self._skills))).astype(np.float32)
        # A skill of 1 is a habit, not a chance: it stays.
        mine = np.where(self._skills < 1.0, np.minimum(self._skills * noise, 1.0), self._skills)
        self._memory["skill"][column] = tuple(mine)

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        parts = np.empty((len(columns), len(PARTS)), np.uint8)
        frames = np.ascontiguousarray(view.frames)
        think(
            *(words_f32(frames), words_i32(frames), view.seats, columns, self._outlines, self._repertoires),
            *(self._memory, self._senses, parts),
        )
        return parts
