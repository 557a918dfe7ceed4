"""PettingZoo's face of a two-player game."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
from pettingzoo import ParallelEnv

from envs.backend import Backend
from envs.multi_agent import AGENTS, GameSetup, TwoPlayerGame


class PettingZooGame(ParallelEnv):
    """A parallel environment of the two seats; both agents leave when the game ends."""

    metadata = {"name": "exphil_league_v1", "render_modes": []}  # noqa: RUF012 (PettingZoo reads it from the class)

    def __init__(self, setup: GameSetup | None = None, backend: Backend | None = None) -> None:
        self._game = TwoPlayerGame(setup, backend)
        self.possible_agents = list(AGENTS)
        self.agents: list[str] = []
        self.render_mode = None
        self.observation_spaces = self._game.observation_spaces
        self.action_spaces = self._game.action_spaces

    def observation_space(self, agent: str) -> gym.Space:
        """Always the same object for an agent."""
        return self.observation_spaces[agent]

    def action_space(self, agent: str) -> gym.Space:
        """Always the same object for an agent."""
        return self.action_spaces[agent]

    def reset(self, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """(observations, infos) by agent id."""
        self.agents = list(AGENTS)
        return self._game.reset(seed), {agent: {} for agent in AGENTS}

    def step(self, actions: dict[str, Any]) -> tuple[dict, dict, dict, dict, dict]:
        """(observations, rewards, terminations, truncations, infos) by agent id."""
        seen = self._game.step(actions)
        if seen.terminated or seen.truncated:
            self.agents = []
        terminations = dict.fromkeys(AGENTS, seen.terminated)
        return seen.observations, seen.rewards, terminations, dict.fromkeys(AGENTS, seen.truncated), seen.infos

    def close(self) -> None:
        """Close the backend."""
        self._game.close()
