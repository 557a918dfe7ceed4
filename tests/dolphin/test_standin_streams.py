"""What the stand-in sends, as peppi reads it, who shares no code with us."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import peppi_py
import pytest

from envs.dolphin.standin.content import make_content
from envs.dolphin.standin.menus import Choice
from envs.dolphin.standin.pads import Pads
from envs.dolphin.standin.scenario import SCRIPTED, SIM, Scenario
from envs.dolphin.standin.screens import CPU, HUMAN, ICONS, Seat
from envs.frame import FIRST_FRAME, FRAME, LEADER, WORDS
from envs.game import Button, Stage, character_id
from envs.slippi.live import LiveParser, Seen
from envs.slippi.ubjson import head, tail

PORTS = (1, 3)
SIM_FRAMES = 900


def seat(port: int, name: str, level: int, status: int) -> Seat:
    icon = next(icon for icon, character in ICONS.items() if character == character_id(name))
    return Seat(
        port, None, status=status, icon=icon, costume=port, cpu_level=level, name=name.title(), code=f"AB#{port}"
    )


def sent_of(content: str, frames: int) -> list[bytes]:
    """Messages of one game between a CPU and somebody at another console, and the end, if it comes by then."""
    scenario = Scenario(content=content, scripted_frames=300, seed=5)
    seats = (seat(PORTS[0], "FOX", 9, CPU), seat(PORTS[1], "MARTH", 9, HUMAN))
    pads = Pads((None,) * 4, blocking=True, gives_up=True)
    choice = Choice(seats, int(Stage.BATTLEFIELD), frozen_stadium=True)
    return list(islice(make_content(scenario, None).game(choice, pads), frames + 1))


@pytest.mark.parametrize("content", [SCRIPTED, SIM])
def test_an_independent_parser_reads_the_games_as_ours_does(content: str, tmp_path: Path):
    sent = sent_of(content, SIM_FRAMES)
    raw = b"".join(sent)
    path = tmp_path / "game.slp"
    path.write_bytes(head(len(raw)) + raw + tail({}))
    game = peppi_py.read_slippi(str(path))
    frames = ours(sent)
    assert np.array_equal(game.frames.id.to_numpy(), frames["frame"])
    assert frames["frame"].tolist() == list(range(FIRST_FRAME, FIRST_FRAME + len(frames)))
    assert (game.start.stage, game.start.is_frozen_ps) == (Stage.BATTLEFIELD, True)
    players = [(one.port.name, one.netplay.name, one.netplay.code, one.costume) for one in game.start.players]
    assert players == [("P2", "Fox", "AB＃1", 1), ("P4", "Marth", "AB＃3", 3)]
    for player, ports in enumerate(game.frames.ports):
        check_player(ports.leader, frames["players"][:, player, LEADER])
    if content == SCRIPTED:
        assert (len(frames), game.end.method.name) == (300, "GAME")
    else:
        assert set(frames["players"]["action"][:, 0, LEADER]) - set(frames["players"]["action"][:100, 0, LEADER])
        assert np.any(frames["players"]["buttons_processed"][:, :, LEADER] & Button.A)


def ours(sent: list[bytes]) -> np.ndarray:
    """Frames [T] of our own parser."""
    parser, out, rows = LiveParser(), np.zeros(WORDS, np.int32), []
    for message in sent:
        if parser.feed(message, out) & Seen.FRAME:
            rows.append(out.copy())
    return np.array(rows).view(FRAME)[:, 0]


def check_player(theirs: peppi_py.frame.Data, mine: np.ndarray) -> None:
    pre, post = theirs.pre, theirs.post
    pairs = {
        "x": post.position.x,
        "y": post.position.y,
        "action": post.state,
        "character": post.character,
        "percent": post.percent,
        "stocks": post.stocks,
        "shield": post.shield,
        "facing": post.direction,
        "last_hit_by": post.last_hit_by,
        "hitlag": post.hitlag,
        "speed_x_attack": post.velocities.knockback_x,
        "buttons_processed": pre.buttons,
    }
    for name, column in pairs.items():
        assert np.array_equal(mine[name], column.to_numpy(), equal_nan=mine[name].dtype.kind == "f"), name
    assert np.array_equal(mine["controller"]["stick_x"], pre.joystick.x.to_numpy())
    assert np.array_equal(mine["controller"]["buttons"], pre.buttons_physical.to_numpy())
    assert np.array_equal(post.position.x.to_numpy()[:-1], pre.position.x.to_numpy()[1:])  # the state before the input
