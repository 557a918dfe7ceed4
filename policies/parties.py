"""Agents at their columns, so that as few calls as possible ask all of them: networks of one spec act in one forward,
everybody else alone. Torch is loaded with the first network: scripts and agent files play without it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from policies.agent import Agent, Joining
from policies.spec import PolicySpec

if TYPE_CHECKING:
    from policies.network_agent import NetworkAgent
    from policies.network_ensemble import NetworkEnsemble

Player: TypeAlias = "Agent | NetworkEnsemble"
"""Whoever acts for some columns."""


class Parties:
    """Who acts for which columns. Memory belongs to columns: an agent that takes one over must be `reset` there."""

    def __init__(self) -> None:
        self._ensembles: dict[PolicySpec, NetworkEnsemble] = {}
        self._parties: list[tuple[Player, NDArray[np.int64]]] = []

    def __iter__(self) -> Iterator[tuple[Player, NDArray[np.int64]]]:
        """Players and the columns [n] that each of them acts for."""
        return iter(self._parties)

    def __len__(self) -> int:
        return len(self._parties)

    def seat(self, seated: Iterable[tuple[Agent, NDArray[np.int64]]]) -> None:
        """From now on these agents, no others, play: each the columns [n] beside it."""
        alone: list[tuple[Player, NDArray[np.int64]]] = []
        together: dict[PolicySpec, list[tuple[NetworkAgent, NDArray[np.int64]]]] = {}
        for agent, columns in seated:
            spec = _joins(agent)
            if spec is None:
                alone.append((agent, columns))
            else:
                together.setdefault(spec, []).append((cast("NetworkAgent", agent), columns))
        before, self._ensembles = self._ensembles, {}
        joint: list[tuple[Player, NDArray[np.int64]]] = []
        for spec, members in together.items():
            ensemble = self._ensembles[spec] = before.get(spec) or _ensemble(members[0][0])
            joint.append((ensemble, ensemble.seat(members)))
        self._parties = [*alone, *joint]

    def reset(self, agent: Agent, columns: NDArray[np.int64]) -> None:
        """A new game begins for a seated agent in these columns."""
        self._player(agent).reset(columns)

    def refresh(self, agent: Agent) -> None:
        """The weights of a seated agent may have changed."""
        spec = _joins(agent)
        if spec is not None:
            self._ensembles[spec].refresh(cast("NetworkAgent", agent))

    @property
    def copied_bytes(self) -> int:
        """Memory of the weights that are copied for acting together."""
        return sum(ensemble.nbytes for ensemble in self._ensembles.values())

    def get_state(self) -> dict[PolicySpec, dict[str, Any]]:
        """What the networks remember that act together; the others' memory is their own."""
        return {spec: ensemble.get_state() for spec, ensemble in self._ensembles.items()}

    def set_state(self, state: Mapping[PolicySpec, dict[str, Any]]) -> None:
        """Go on from `get_state`, the same agents being seated."""
        for spec, remembered in state.items():
            self._ensembles[spec].set_state(remembered)

    def _player(self, agent: Agent) -> Player:
        """Who acts for the columns of an agent and remembers them."""
        spec = _joins(agent)
        return agent if spec is None else self._ensembles[spec]


def _joins(agent: Agent) -> PolicySpec | None:
    return agent.joins if isinstance(agent, Joining) else None


def _ensemble(like: NetworkAgent) -> NetworkEnsemble:
    from policies.network_ensemble import NetworkEnsemble

    return NetworkEnsemble(like)
