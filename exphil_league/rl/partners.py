"""Frozen players by digest, as runners and rating games need them."""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Final

from exphil_league import factories
from exphil_league.config.league import is_agent_file
from exphil_league.errors import UserError
from exphil_league.rl import weights
from policies.agent import Agent
from policies.cpu_player import CPU_PLAYERS, CpuPlayer
from policies.network_agent import NetworkAgent
from policies.onnx.runtime import OnnxAgent
from policies.scripted import make_scripted, scripted_digest

_SCRIPTED: Final = "scripted:"


def own_digest(player: str) -> str:
    """Digest of a player of one's own, a `module:factory` or an agent file. Raises UserError where there is none."""
    return weights.agent_digest(Path(player)) if is_agent_file(player) else factories.factory_digest(player)


def load_agent(store: Path, seed: int, digest: str, capacity: int) -> Agent:
    """The player that `digest` names: scripted (`scripted:NAME@VERSION`), of the game itself (`cpu:LEVEL`), one's own,
    or an agent file or a checkpoint in `store`.

    Its random stream is derived from `seed` and `digest`. Raises UserError for a scripted player of another
    version than this installation has, CheckpointError for a checkpoint that is missing or broken.
    """
    own_seed = zlib.crc32(digest.encode(), seed & 0xFFFFFFFF)
    if digest.startswith(factories.PREFIX):
        return factories.from_digest(digest, capacity, own_seed)
    if digest in CPU_PLAYERS:
        return CpuPlayer(digest, capacity)
    if digest.startswith(weights.AGENT):
        agent = OnnxAgent(weights.load_agent_file(store / digest), capacity, own_seed)
        agent.digest = digest  # a league counts results by it
        return agent
    if not digest.startswith(_SCRIPTED):
        return NetworkAgent(weights.load(store / digest), capacity, own_seed, digest, digest)
    name = digest.removeprefix(_SCRIPTED).partition("@")[0]
    if digest != scripted_digest(name):
        raise UserError(f"{digest} is not the {name} of this version ({scripted_digest(name)}); start a new run")
    return make_scripted(name, capacity, own_seed)
