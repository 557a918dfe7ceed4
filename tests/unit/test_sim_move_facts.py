"""Facts of moves, hurt capsules and specials: every number has a source, and a mistake is named."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from envs.game import Action
from envs.sim import facts
from envs.sim.combat_layout import CHARACTER_COMBAT
from envs.sim.compile import CHARACTERS, tables
from envs.sim.hurt import BadHurtFacts, compile_hurt
from envs.sim.moves import BadMoveFacts, compile_moves, load_moves
from envs.sim.specials import BadSpecialFacts, Op, load_specials

FOX = 1
FILES = ("fox_moves", "fox_hurt", "fox_specials")


@pytest.mark.parametrize("file", FILES)
def test_every_number_has_a_source(file: str) -> None:
    assert len(facts.sources(f"characters/{file}")) > 20


def changed(monkeypatch: pytest.MonkeyPatch, *path: str, value: Any) -> None:
    """Make `facts.load` return tables with one value replaced, wherever the path exists."""
    load = facts.load

    def patched(name: str) -> dict[str, Any]:
        table: Any = copy.deepcopy(load(name))
        inner = table
        for key in path[:-1]:
            inner = inner.get(key, {})
        if path[-1] in inner:
            inner[path[-1]] = value
        return dict(table)

    monkeypatch.setattr(facts, "load", patched)


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (("neutral_air", "hits"), [[4, 70, 0]], "neutral_air.*outside"),
        (("neutral_air", "hits"), [[4, 7, 5]], "neutral_air.*lacks"),
        (("neutral_air", "attack_id"), 0, "neutral_air.*attack_id"),
        (("neutral_air", "hits"), [[1, 3, 0]], "neutral_air.*libmelee has no hitbox 1 on frame 1"),
    ],
)
def test_a_wrong_move_is_named(
    monkeypatch: pytest.MonkeyPatch, path: tuple[str, ...], value: Any, message: str
) -> None:
    changed(monkeypatch, *path, value=value)
    with pytest.raises(BadMoveFacts, match=message):
        compile_moves(load_moves("fox"), FOX, np.zeros((), CHARACTER_COMBAT))


def test_a_wrong_stance_or_special_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    changed(monkeypatch, "actions", value={"handstand": [[14, 14]]})
    with pytest.raises(BadHurtFacts, match="handstand"):
        compile_hurt("fox", np.zeros((), CHARACTER_COMBAT))
    monkeypatch.undo()
    changed(monkeypatch, "illusion_air", "operations", value=[{"op": "FLY"}])
    with pytest.raises(BadSpecialFacts, match="FLY"):
        load_specials("fox")
    monkeypatch.undo()
    changed(monkeypatch, "illusion_air", "next", value=399)
    with pytest.raises(BadSpecialFacts, match="399"):
        load_specials("fox")


def test_strong_and_weak_hits_share_a_group_and_multi_hits_do_not() -> None:
    combat = tables()[0]["characters"][0]["combat"]
    states = tables()[0]["characters"][0]["states"]
    groups = {}
    for action in (Action.NAIR, Action.UPSMASH, Action.FAIR, Action.DAIR, Action.UAIR):
        move = combat["moves"][states["move"][action.value]]
        rows = combat["hit_frames"][move["row"] : move["row"] + move["last_frame"] - move["first_frame"] + 1]
        groups[action] = len(set(rows["group"][rows["active"] == 1].tolist()))
    assert groups == {Action.NAIR: 1, Action.UPSMASH: 1, Action.FAIR: 5, Action.DAIR: 7, Action.UAIR: 2}


def test_every_operation_is_used_or_known() -> None:
    used = set()
    for name in CHARACTERS:
        specials, starts = load_specials(name.lower())
        used |= {operation[0] for special in specials for operation in special.operations}
        assert all(len(pair) == 2 for pair in starts.values())
    assert used == {int(op) for op in Op}
