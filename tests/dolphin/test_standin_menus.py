"""Menus of the stand-in, as our walk and stock libmelee go through them: who is picked is who plays."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import melee
import numpy as np
import pytest
from numpy.typing import NDArray

from envs.controller import neutral
from envs.dolphin.config import DolphinConfig
from envs.dolphin.menu import GameOrder
from envs.dolphin.standin.backend import StandInBackend
from envs.dolphin.standin.characters import icon_under
from envs.dolphin.standin.scenario import SCRIPTED, Opponent, Scenario
from envs.dolphin.standin.screens import ICONS
from envs.dolphin.standin.settings import User, read_settings
from envs.frame import LEADER
from envs.game import EXTERNAL_ID, Character, Stage, character_id
from envs.slippi.game import GameMeta, PlayerKind
from tests.dolphin.standins import PORTS
from tests.dolphin.test_standin import ROW, stock_console


class Ordered(StandInBackend):
    """Plays the games of a list, one after the other."""

    orders: list[GameOrder]

    def _order(self, matchup: NDArray[np.void]) -> GameOrder:
        return self.orders.pop(0)


def test_every_character_is_where_libmelee_looks_for_him():
    for character in map(melee.Character, EXTERNAL_ID):
        if character is not melee.Character.SHEIK:
            row, column = divmod(melee.enums.from_internal(character), 9)
            place = (-29.0 + 7 * (column + (row == 2)), 4.5 + 7 * (2 - row))
            assert ICONS[icon_under(place)] == character.value, character


def test_costumes_levels_sheik_and_a_frozen_stadium_are_picked(tmp_path: Path):
    fox, zelda, sheik, marth = (Character[name].value for name in ("FOX", "ZELDA", "SHEIK", "MARTH"))
    orders = [
        GameOrder((sheik, zelda), int(Stage.POKEMON_STADIUM), costumes=(2, 1)),
        GameOrder((zelda, sheik), int(Stage.YOSHIS_STORY), ports=(1, 0)),
        GameOrder((fox, marth), int(Stage.FOUNTAIN_OF_DREAMS), costumes=(1, 4), cpu_levels=(0, 7)),
        GameOrder((fox, marth), int(Stage.DREAM_LAND), cpu_levels=(9, 0)),
    ]
    config = DolphinConfig(run_dir=tmp_path / "run", ports=PORTS, frozen_stadium=True, self_test=False)
    made = Ordered(1, config, Scenario(content=SCRIPTED, scripted_frames=40))
    made.orders = orders[:]
    try:
        for order in orders:
            frames = made.reset(np.ones(1, np.bool_), ROW[None], np.zeros(1, np.uint64))
            meta = header(made)
            assert tuple(frames["players"]["character"][0, :, LEADER]) == order.characters
            assert (meta.stage, meta.is_frozen_stadium) == (order.stage, True)
            by_seat = [next(seat for seat in meta.seats if seat.port == port) for port in order.ports]
            assert tuple(seat.cpu_level for seat in by_seat) == order.cpu_levels
            assert [seat.kind for seat in by_seat] == [
                PlayerKind.CPU if lvl else PlayerKind.HUMAN for lvl in order.cpu_levels
            ]
            if order.costumes:
                assert tuple(seat.costume for seat in by_seat) == order.costumes
            while not made.done[0]:
                made.step(neutral((1, 2)))
        assert made.figures()["boots"] == 1
    finally:
        made.close()


def header(made: StandInBackend) -> GameMeta:
    life = made.instances[0]._life
    assert life is not None
    assert life.reader.meta is not None
    return life.reader.meta


class Direct:
    """Stock libmelee on its way to somebody's code."""

    def __init__(self, folder: Path, scenario: Scenario, code: str) -> None:
        user = {"uid": "0", "playKey": "secret", "connectCode": "OURS#001", "displayName": "Ours"}
        (folder / "user.json").write_text(json.dumps(user))
        self.console = stock_console(folder, "mainline", user_json_path=str(folder / "user.json"))
        self.pad, self.helper, self.code = melee.Controller(self.console, 1), melee.MenuHelper(), code
        self.console.run(iso_path=str(scenario.write(folder / "melee.iso")), platform="headless")
        assert self.console.connect()
        self.pad.connect()

    def first_frame(self, character: melee.Character, limit: int) -> melee.GameState | None:
        """Of the next game; None if none begins within so many menu frames."""
        was_in_game = True
        for n in range(limit):
            state = self.console.step()
            in_game = state.menu_state is melee.Menu.IN_GAME
            if in_game and not was_in_game:
                return state
            was_in_game = in_game
            if in_game:
                self.pad.release_all()
            elif state.menu_state is melee.Menu.PRESS_START:
                (self.pad.press_button if n % 2 else self.pad.release_button)(melee.Button.BUTTON_START)
            else:
                more: dict[str, Any] = {"connect_code": self.code, "costume": 2, "autostart": True}
                self.helper.menu_helper_simple(state, self.pad, character, melee.Stage.BATTLEFIELD, **more)
        return None


def test_a_code_leads_to_the_one_who_has_it_game_after_game(tmp_path: Path):
    opponent = Opponent("THEM#290", "Them", "JIGGLYPUFF", level=3, costume=1, port=0)
    direct = Direct(tmp_path, Scenario(content=SCRIPTED, scripted_frames=60, opponent=opponent), "THEM#290")
    try:
        for _ in range(2):
            state = direct.first_frame(melee.Character.SHEIK, 6000)
            assert state is not None
            them, us = state.players[1], state.players[2]
            assert (them.connectCode, them.displayName) == ("THEM#290", "Them")
            assert (us.connectCode, us.displayName) == ("OURS#001", "Ours")
            assert (them.character.value, us.character.value) == (
                character_id("JIGGLYPUFF"),
                melee.Character.SHEIK.value,
            )
            assert (them.costume, us.costume, them.cpu_level) == (1, 2, 0)
    finally:
        direct.console.stop()


@pytest.mark.slow
def test_nobody_comes_to_a_code_that_nobody_has(tmp_path: Path, capfd: pytest.CaptureFixture[str]):
    direct = Direct(tmp_path, Scenario(content=SCRIPTED), "NONE#404")
    try:
        assert direct.first_frame(melee.Character.FOX, 3000) is None
    finally:
        direct.console.stop()
    told = capfd.readouterr().out
    assert "nobody has the code that was typed" in told
    assert "secret" not in told


@pytest.mark.parametrize("change", [str.upper, str.lower, str.title], ids=["upper", "lower", "title"])
def test_names_in_its_configuration_may_have_any_case(change: Any, tmp_path: Path):
    lines = {
        "Dolphin.ini": "[Slippi]\nSpectatorLocalPort = 51500\nOnlineDelay = 3\nBlockingPipes = True\n"
        "[Core]\nEmulationSpeed = 0.5\nSIDevice0 = 6\nSIDevice1 = 0\n",
        "GCPadNew.ini": "[GCPad1]\nDevice = Pipe/0/slippibot1\n[GCPad2]\nDevice = Pipe/0/slippibot2\n",
    }
    (tmp_path / "Config").mkdir()
    for name, text in lines.items():
        spelled = [
            change(key) + equals + value for key, equals, value in (line.partition("=") for line in text.split("\n"))
        ]
        (tmp_path / "Config" / name).write_text("\n".join(spelled))
    (tmp_path / "Slippi").mkdir()
    (tmp_path / "Slippi" / "user.json").write_text(json.dumps({"displayName": "Ours", "connectCode": "OURS#001"}))
    found = read_settings(tmp_path, mainline=True, exi_ai=False)
    assert (found.port, found.delay_frames, found.blocking, found.speed) == (51500, 3, True, 0.5)
    assert found.pipes == (tmp_path / "Pipes" / "slippibot1", None, None, None)
    assert found.user == User("Ours", "OURS#001")
