"""Players of one's own: `module:factory` names a function that makes an agent."""

from __future__ import annotations

import hashlib
import importlib
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Final, cast

from exphil_league.errors import UserError
from policies.agent import Agent

Factory = Callable[[int, int], Agent]
"""`factory(capacity, seed) -> Agent`: what `module:factory` names."""
PREFIX: Final = "factory:"
"""Begins the digest of such a player."""


def is_factory(name: str) -> bool:
    """Whether a name has the form `module:factory`."""
    module_name, colon, attribute = name.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module_name.split("."), attribute))


def from_factory(name: str, capacity: int, seed: int) -> Agent:
    """The agent that `module:factory` makes. Raises UserError that says what is wrong with it."""
    factory = _factory(name)
    try:
        inspect.signature(factory).bind(capacity, seed)
    except (TypeError, ValueError) as error:
        raise UserError(f"player {name!r} cannot be called as factory(capacity, seed): {error}") from error
    agent = factory(capacity, seed)
    missing = [member for member in ("name", "digest", "reset", "act") if not hasattr(agent, member)]
    if missing:
        raise UserError(f"player {name!r}: what the factory returned is no agent, it lacks {', '.join(missing)}")
    return cast(Agent, agent)


def factory_digest(name: str) -> str:
    """`factory:MODULE:FACTORY@SOURCE`: what a league remembers of the player; SOURCE changes with its module's file."""
    _factory(name)
    source = inspect.getsource(_module(name))
    return f"{PREFIX}{name}@{hashlib.sha256(source.encode()).hexdigest()[:12]}"


def from_digest(digest: str, capacity: int, seed: int) -> Agent:
    """The agent of a `factory_digest`, which it bears whatever it calls itself: a league counts results by it.

    Raises UserError if its module has changed since.
    """
    name = digest.removeprefix(PREFIX).rpartition("@")[0]
    if factory_digest(name) != digest:
        raise UserError(f"player {name!r}: its module has changed since the run began; start a new run folder")
    agent = from_factory(name, capacity, seed)
    try:
        agent.digest = digest
    except AttributeError as error:
        raise UserError(f"player {name!r}: its digest must be an attribute that can be set ({error})") from error
    return agent


def _factory(name: str) -> Factory:
    module_name, _, attribute = name.partition(":")
    factory: Factory | None = getattr(_module(name), attribute, None)
    if not callable(factory):
        raise UserError(f"player {name!r}: {module_name} has no callable {attribute!r}; write module:factory")
    return factory


def _module(name: str) -> ModuleType:
    module_name = name.partition(":")[0]
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.insert(0, here)  # a user's own module lies in the working directory
    try:
        return importlib.import_module(module_name)
    except (ImportError, SyntaxError) as error:
        raise UserError(f"player {name!r}: module {module_name!r} cannot be imported ({error})") from error
