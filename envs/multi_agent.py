"""The public face: one two-player game with Gymnasium spaces, for any multi-agent library.

`TwoPlayerGame` is one game of any Backend with its spaces, seeding and rewards, free of libraries. On top of
it `RllibGame` (RLlib `MultiAgentEnv`, new API stack) and `PettingZooGame` (PettingZoo `ParallelEnv`) are thin
translations; each is imported on first use, so that one library can be missing. Training runs of this project
step the same Backend in batches and do not pass through here.

Agents are `player_0` and `player_1`. An observation is `{"floats": Box [F], "ids": MultiDiscrete [K]}` from
that player's own point of view, an action the six parts of `envs.controller`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import gymnasium as gym
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from envs.backend import Backend, EndedBy, Matchup
from envs.backends import make_backend
from envs.controller import PART_SIZES, decode
from envs.frame import SEATS
from envs.observation import FLOATS, ID_SIZES, observe
from envs.reward import Reward, RewardWeights

if TYPE_CHECKING:
    from envs.multi_agent_pettingzoo import PettingZooGame
    from envs.multi_agent_rllib import RllibGame

__all__ = ["AGENTS", "GameSetup", "PettingZooGame", "RllibGame", "Transition", "TwoPlayerGame"]

AGENTS: Final = ("player_0", "player_1")
"""Agent id of each seat."""

_FLOAT_BOUND: Final = 32.0  # 99 stocks read 24.75, every other feature stays within 10
_SEED_BOUND: Final = 2**63


class GameSetup(BaseModel):
    """What is played. Characters and stage of a game are drawn evenly from the lists at each reset."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    backend: str = Field("sim", description="name of a backend in envs.backends")
    characters: tuple[str, ...] = Field(("FOX",), min_length=1, description="both seats draw from these")
    stages: tuple[str, ...] = Field(("FINAL_DESTINATION", "BATTLEFIELD"), min_length=1)
    stocks: int = Field(4, ge=1, le=99)
    time_limit_s: float = Field(480.0, gt=0, le=480.0, description="seconds until the timer ends the game")
    reward: RewardWeights = RewardWeights()
    gamma: float = 1.0
    """Discount of the learner, for reward terms that are potentials."""


class Transition(NamedTuple):
    """What one step brought, by agent id."""

    observations: dict[str, dict[str, NDArray[Any]]]
    rewards: dict[str, float]
    terminated: bool
    """The game ended by its own rules (stocks or timer)."""
    truncated: bool
    """The game was cut by a fault of the backend."""
    infos: dict[str, dict[str, Any]]


class TwoPlayerGame:
    """One game at a time on a Backend of one game; reset, step and the spaces both faces share."""

    def __init__(self, setup: GameSetup | None = None, backend: Backend | None = None) -> None:
        """Plays `setup` on `backend` (one game), by default on a new one of the setup's name.

        Raises ValueError for a backend of several games, UnknownBackend for a name that is none.
        """
        self.setup = setup or GameSetup()
        self._backend = backend if backend is not None else make_backend(self.setup.backend, num_games=1)
        if self._backend.num_games != 1:
            raise ValueError(f"a TwoPlayerGame needs a backend of 1 game, got one of {self._backend.num_games}")
        self._random = np.random.default_rng()
        self._reward = Reward(self.setup.reward, self.setup.gamma)
        self._frame: NDArray[np.void] | None = None
        self.observation_spaces: dict[Any, gym.Space] = {agent: _observation_space() for agent in AGENTS}
        self.action_spaces: dict[Any, gym.Space] = {
            agent: gym.spaces.MultiDiscrete(list(PART_SIZES)) for agent in AGENTS
        }

    def reset(self, seed: int | None = None) -> dict[str, dict[str, NDArray[Any]]]:
        """Start a new game. A seed fixes this and all later games; without one the stream goes on."""
        if seed is not None:
            self._random = np.random.default_rng(seed)
        seeds = self._random.integers(0, _SEED_BOUND, size=1, dtype=np.uint64)
        frames = self._backend.reset(np.ones(1, np.bool_), self._draw_matchup(), seeds)
        self._frame = frames.copy()
        return _observations(self._frame)

    def step(self, actions: dict[str, NDArray[np.integer]]) -> Transition:
        """Advance one frame with each agent's action parts [6]. Raises RuntimeError before a reset or after the end."""
        if self._frame is None or self._backend.done[0]:
            raise RuntimeError("no game is running: call reset() first")
        before = self._frame
        parts = np.stack([np.asarray(actions[agent], np.uint8) for agent in AGENTS])
        self._frame = self._backend.step(decode(parts)[None]).copy()
        done, result = self._backend.done, self._backend.result
        rewards = self._reward(before, self._frame, done, result).total[0]
        ended = EndedBy(int(result[0]["ended_by"])) if done[0] else EndedBy.RUNNING
        return Transition(
            observations=_observations(self._frame),
            rewards={agent: float(rewards[seat]) for seat, agent in enumerate(AGENTS)},
            terminated=ended in (EndedBy.STOCKS, EndedBy.TIMER),
            truncated=ended is EndedBy.FAULT,
            infos=_infos(ended, result[0]),
        )

    def close(self) -> None:
        """Close the backend."""
        self._backend.close()

    def _draw_matchup(self) -> NDArray[np.void]:
        first, second = self._random.choice(self.setup.characters, size=SEATS)
        matchup = Matchup(
            characters=(str(first), str(second)),
            stage=str(self._random.choice(self.setup.stages)),
            stocks=self.setup.stocks,
            time_limit_s=self.setup.time_limit_s,
            swap_start=bool(self._random.integers(2)),
        )
        return matchup.row()[None]


def _observation_space() -> gym.spaces.Dict:
    return gym.spaces.Dict(
        {
            "floats": gym.spaces.Box(-_FLOAT_BOUND, _FLOAT_BOUND, (FLOATS,), np.float32),
            "ids": gym.spaces.MultiDiscrete(list(ID_SIZES), dtype=np.int32),
        }
    )


def _observations(frames: NDArray[np.void]) -> dict[str, dict[str, NDArray[Any]]]:
    seen = observe(frames)
    return {agent: {"floats": seen.floats[0, seat], "ids": seen.ids[0, seat]} for seat, agent in enumerate(AGENTS)}


def _infos(ended: EndedBy, result: NDArray[np.void]) -> dict[str, dict[str, Any]]:
    if ended is EndedBy.RUNNING:
        return {agent: {} for agent in AGENTS}
    winner = int(result["winner"])
    return {
        agent: {"won": winner == seat, "drawn": winner < 0, "ended_by": ended.name, "frames": int(result["frames"])}
        for seat, agent in enumerate(AGENTS)
    }


def __getattr__(name: str) -> Any:
    """The two faces, imported on first use (PEP 562)."""
    if name == "RllibGame":
        from envs.multi_agent_rllib import RllibGame

        return RllibGame
    if name == "PettingZooGame":
        from envs.multi_agent_pettingzoo import PettingZooGame

        return PettingZooGame
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
