"""RLlib's face of a two-player game (new API stack)."""

from __future__ import annotations

from typing import Any

from ray.rllib.env.multi_agent_env import MultiAgentEnv

from envs.backend import Backend
from envs.multi_agent import AGENTS, GameSetup, TwoPlayerGame


class RllibGame(MultiAgentEnv):
    """`PPOConfig().environment(RllibGame, env_config={"stocks": 1, ...})`; the config is a GameSetup."""

    def __init__(self, config: dict[str, Any] | None = None, backend: Backend | None = None) -> None:
        """`config` holds fields of GameSetup; a wrong one raises pydantic's ValidationError naming it."""
        self._game = TwoPlayerGame(GameSetup(**(config or {})), backend)
        self.possible_agents = list(AGENTS)
        self.agents = list(AGENTS)
        self.observation_spaces = self._game.observation_spaces
        self.action_spaces = self._game.action_spaces
        super().__init__()

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[dict, dict]:
        """(observations, infos) by agent id."""
        return self._game.reset(seed), {agent: {} for agent in AGENTS}

    def step(self, action_dict: dict[Any, Any]) -> tuple[dict, dict, dict, dict, dict]:  # type: ignore[override]
        """(observations, rewards, terminateds, truncateds, infos) by agent id, ends also under `__all__`."""
        seen = self._game.step(action_dict)
        ids = (*AGENTS, "__all__")
        terminateds = dict.fromkeys(ids, seen.terminated)
        return seen.observations, seen.rewards, terminateds, dict.fromkeys(ids, seen.truncated), seen.infos

    def close(self) -> None:
        """Close the backend."""
        self._game.close()
