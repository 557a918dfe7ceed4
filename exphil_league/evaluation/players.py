"""From what a user types to something that plays: scripted names, agent files, checkpoints, own factories."""

from __future__ import annotations

import difflib
from pathlib import Path

from exphil_league.errors import UserError
from exphil_league.factories import from_factory, is_factory
from policies.agent import AS_TRAINED, Agent, Handling
from policies.cpu_player import CPU_PLAYERS, CpuPlayer
from policies.scripted import SCRIPTED, make_scripted


def load_player(name: str, capacity: int, seed: int, handling: Handling = AS_TRAINED) -> Agent:
    """The agent that `name` stands for, with memory for `capacity` columns.

    `name` is a scripted player (`fighter`), one of the game itself (`cpu:9`, on emulators), an agent file
    (`main.agent`), a checkpoint folder (needs torch) or `module:factory` of the user's own; `handling` is for networks.
    Raises UserError that says what was looked for and what exists.
    """
    has_no_network = name in SCRIPTED or name in CPU_PLAYERS or is_factory(name)
    path = Path(name).expanduser()
    if not has_no_network and path.is_dir():
        return _from_checkpoint(path, capacity, seed, handling)
    if not has_no_network and path.is_file():
        return _from_agent_file(path, capacity, seed, handling)
    if not has_no_network:
        raise UserError(_unknown(name))
    if handling != AS_TRAINED:
        raise UserError(f"{name} is no network: leave --deterministic and --action-repeat out")
    if name in CPU_PLAYERS:
        return CpuPlayer(name, capacity)
    return make_scripted(name, capacity, seed) if name in SCRIPTED else from_factory(name, capacity, seed)


def _from_agent_file(path: Path, capacity: int, seed: int, handling: Handling) -> Agent:
    from policies.onnx.agent_file import read_agent_file
    from policies.onnx.runtime import OnnxAgent

    return OnnxAgent(read_agent_file(path), capacity, seed, handling)


def _from_checkpoint(path: Path, capacity: int, seed: int, handling: Handling) -> Agent:
    try:
        from policies.checkpoint import digest_of, load
        from policies.network_agent import NetworkAgent
    except ImportError as error:
        raise UserError(
            f"{path} is a checkpoint folder, and reading one needs torch: install exphil-league[train], "
            "or export the player to an agent file where torch is installed"
        ) from error
    policy = load(path)
    return NetworkAgent(policy, capacity, seed, name=path.name, digest=digest_of(policy), handling=handling)


def _unknown(name: str) -> str:
    scripted = ", ".join(SCRIPTED)
    if "/" in name or name.endswith(".agent"):
        return f"no such agent file: {name}"
    close = difflib.get_close_matches(name, SCRIPTED, n=1)
    hint = f"; did you mean {close[0]}?" if close else "."
    return f"unknown player {name!r}{hint} A player is one of {scripted}, an agent file, or module:factory"
