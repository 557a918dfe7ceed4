"""Players of one's own by `module:factory`: how a league remembers them and what a changed module means."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from exphil_league.errors import UserError
from exphil_league.factories import factory_digest, is_factory
from exphil_league.rl.partners import load_agent

BOT = """
from policies.scripted import make_scripted

def make(capacity, seed):
    return make_scripted("walker", capacity, seed)
"""


@pytest.fixture
def bot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A module `own_bot` in the working directory."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "own_bot", raising=False)
    (tmp_path / "own_bot.py").write_text(BOT)
    return tmp_path / "own_bot.py"


def test_a_runner_loads_the_player_that_the_league_remembers(bot: Path) -> None:
    digest = factory_digest("own_bot:make")
    agent = load_agent(bot.parent, 0, digest, 3)
    assert (agent.name, agent.capacity, agent.digest) == ("walker", 3, digest)


def test_a_changed_module_is_another_player(bot: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    digest = factory_digest("own_bot:make")
    bot.write_text(BOT.replace("walker", "fighter"))
    monkeypatch.delitem(sys.modules, "own_bot")
    with pytest.raises(UserError, match=r"own_bot:make.*changed since the run began"):
        load_agent(bot.parent, 0, digest, 3)


@pytest.mark.usefixtures("bot")
def test_what_is_wrong_is_said() -> None:
    assert [is_factory(name) for name in ("a.b:c", "fighter", "a:", "a b:c")] == [True, False, False, False]
    with pytest.raises(UserError, match="own_bot has no callable 'mak'"):
        factory_digest("own_bot:mak")
    with pytest.raises(UserError, match="cannot be imported"):
        factory_digest("no_such_module:make")
