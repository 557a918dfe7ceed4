"""Facts carry their sources, compiled tables are whole, inputs outside the rules are counted."""

from __future__ import annotations

import re

import numpy as np
import pytest

from envs.frame import empty_frames
from envs.game import Action, Stage, character_id
from envs.sim import facts
from envs.sim.compile import digest, tables
from envs.sim.coverage import ignored_inputs
from envs.sim.jit import SOURCES
from envs.sim.states import COMMON_STATES


def test_every_common_number_is_read_by_a_rule() -> None:
    rules = "".join(file.read_text(encoding="utf-8") for file in SOURCES)
    read = set(re.findall(r"\bcommon(?:\.|\[\")(\w+)", rules))
    assert set(tables()[0]["common"].dtype.names) <= read


@pytest.mark.parametrize(
    "name", ["common", "stages/yoshis_story", "stages/battlefield", "characters/fox", "characters/fox_moves"]
)
def test_every_number_has_a_source(name: str) -> None:
    assert len(facts.sources(name)) >= 10


def test_a_number_without_a_source_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facts, "_read", lambda name: {"air": {"gravity": 0.23}})
    with pytest.raises(facts.MissingSource, match=r"common\.toml: air\.gravity"):
        facts.sources("common")


def test_every_state_ends_or_is_ended() -> None:
    states = tables()[0]["characters"][0]["states"]
    known = set(np.flatnonzero(states["modelled"]))
    assert set(COMMON_STATES) <= known
    for action in known:
        for field in ("next", "landing"):
            assert states[action][field] == -1 or states[action][field] in known, Action(action).name


def test_the_digest_is_short_and_stable() -> None:
    assert digest() == digest()
    assert len(digest()) == 12


def test_ignored_inputs_are_counted_by_reason() -> None:
    frames = empty_frames(10)
    frames["frame"] = np.arange(-44, -34)
    frames["stage"] = Stage.BATTLEFIELD
    leaders = frames["players"][:, :, 0]
    leaders["character"][:, 0] = 1
    leaders["character"][:, 1] = character_id("LUIGI")
    leaders["action"] = Action.STANDING.value
    leaders["action"][-2:, 0] = Action.LIFT_WAIT.value
    frames["players"][:, :, 0] = leaders
    seen = ignored_inputs(frames)
    assert seen.reasons == {"character LUIGI": 5, "state LIFT_WAIT": 2}
    assert seen.total == 10
    assert seen.share == pytest.approx(0.7)
    frames["stage"] = 25
    assert ignored_inputs(frames).reasons == {"stage 25": 10}
    assert ignored_inputs(frames[:2]).share == 0
