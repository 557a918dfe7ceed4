"""Everything that is asked of libmelee: configuration, menu states, and its reading of frames.

A `melee.Console` is used without its launcher and its network client, which can hang or leak: it writes the home as it
does for everybody, and reads messages that we hand it. Its controllers write to our pads.
"""

from __future__ import annotations

import base64
import copy
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import melee
import numpy as np
from numpy.typing import NDArray

from envs.dolphin.build import Build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.link import GAME, Message
from envs.dolphin.pads import Pad
from envs.frame import ABSENT_FRAME, FRAME, ITEM_SLOTS, words_i32
from envs.slippi.events import MENU_EVENT, Command
from envs.slippi.game import EndMethod, GameMeta
from envs.slippi.live import Seen, game_start
from envs.slippi.stream import BrokenStream, payload_sizes, whole_events

_BUTTONS: Final = {
    f"BUTTON_{name}": mask
    for name, mask in (
        *(("A", 0x100), ("B", 0x200), ("X", 0x400), ("Y", 0x800), ("START", 0x1000), ("Z", 0x10), ("R", 0x20)),
        *(("L", 0x40), ("D_LEFT", 0x1), ("D_RIGHT", 0x2), ("D_DOWN", 0x4), ("D_UP", 0x8)),
    )
}


class _Feed:
    """Stands where the Console expects its network client: gives it one message at a time."""

    playedOn = "dolphin"
    timestamp = ""
    consoleNick = ""

    def __init__(self) -> None:
        self.players: dict[str, Any] = {}
        self._next: dict[str, Any] | None = None

    def put(self, message: Message) -> None:
        kind = "game_event" if message.kind == GAME else "menu_event"
        self._next = {"type": kind, "payload": base64.b64encode(message.payload)}

    def dispatch(self, polling_mode: bool, timeout: float = 0) -> dict[str, Any] | None:
        message, self._next = self._next, None
        return message


class Console(melee.Console):
    """libmelee's Console that neither launches nor connects."""

    def __init__(self, home: Path, config: DolphinConfig, build: Build, port: int, replays: Path | None) -> None:
        """Writes the configuration of an emulator whose user folder is `home` and whose spectator port is `port`."""
        mainline, null = build.family == "mainline", config.headless and (build.exi_ai or build.family == "mainline")
        super().__init__(
            is_remote=True,
            dolphin_home_path=str(home),
            tmp_home_directory=False,
            slippi_port=port,
            online_delay=config.online_delay_frames,
            blocking_input=config.lockstep,
            polling_mode=True,
            fullscreen=False,
            gfx_backend="Null" if null else "",
            disable_audio=config.headless,
            emulation_speed=config.emulation_speed,
            save_replays=replays is not None,
            replay_dir=None if replays is None else str(replays),
            replay_monthly_folders=False,
            use_exi_inputs=config.exi_inputs,
            enable_ffw=config.fast_forward,
        )
        # What the constructor finds out by running the executable without a time limit; see envs.dolphin.build.
        self.is_mainline = mainline
        self.dolphin_info = None
        self._feed = _Feed()
        self._slippstream = self._feed
        self._setup_home_directory()

    def read(self, message: Message) -> melee.GameState | None:
        """What libmelee makes of a message; None while it waits for the rest of a frame."""
        self._feed.put(message)
        return self.step()


class MenuPad(melee.Controller):
    """libmelee's controller on one of our pads."""

    def __init__(self, console: Console, port: int, kind: melee.ControllerType = melee.ControllerType.STANDARD) -> None:
        """Configures controller port 1..4 in the console's home and makes its pipe. `pad` is None for an adapter."""
        super().__init__(console, port, kind)
        console.controllers.clear()  # its step() would flush them
        self.pad = Pad(Path(self.pipe_path), port - 1) if kind is melee.ControllerType.STANDARD else None
        self.pipe = True  # libmelee asks whether there is one
        self._block: list[str] = []

    def _write(self, command: str) -> None:
        self._block.append(command)

    def flush(self) -> None:
        """Send what was pressed since the last time, as the input of one frame."""
        self.prev = copy.deepcopy(self.current)  # libmelee's copy shares the buttons
        if self.pad is not None:
            self.pad.write("".join((*self._block, "FLUSH\n")).encode())
        self._block.clear()

    def disconnect(self) -> None:
        """The pad is closed by its owner."""


class LibmeleeReader:
    """Frames as libmelee reads them, with the face of `envs.slippi.live.LiveParser`.

    Absent: what libmelee does not give (last attack, combo count, last hit by, state flags, ground, L-cancel,
    animation, physical triggers; direction, damage and misc of items; the seed), and Pokemon Stadium's transformation:
    of its event libmelee 0.47 reads the upper byte, which is always 0.
    """

    def __init__(self, console: melee.Console, ports: tuple[int, int] | None = None) -> None:
        self._console = console
        self.ports = ports
        """Controller port (0..3) of each seat in games from now on; None: their ports in ascending order."""
        self._sizes: dict[int, int] = {}
        self._frame = np.empty(1, FRAME)
        self.meta: GameMeta | None = None
        self.end_method: EndMethod | None = None
        self.lras_port = -1

    def feed(self, message: bytes, out: NDArray[np.int32]) -> int:
        """See LiveParser.feed."""
        seen = self._scan(message)
        if not seen & (Seen.FRAME | Seen.START):
            return seen
        try:
            state = self._console.read(Message(GAME, message))
        except (ValueError, KeyError, AssertionError, TypeError) as error:
            raise BrokenStream(f"libmelee: {error}") from error
        if state is None or not seen & Seen.FRAME:
            return seen & ~Seen.FRAME | (Seen.REPEAT if seen & Seen.FRAME else Seen.NOTHING)
        assert self.meta is not None
        ports = self.ports or (self.meta.seats[0].port, self.meta.seats[1].port)
        write_state(self._console, state, self.meta, ports, self._frame)
        out[:] = words_i32(self._frame)[0]
        return seen

    def _scan(self, message: bytes) -> int:
        """Which events a message has."""
        seen: int = Seen.NOTHING
        start = 0
        if message[0] == Command.PAYLOADS:
            self._sizes = payload_sizes(message)
        for event in whole_events(message, self._sizes):
            start = event.end
            if event.command == Command.GAME_START:
                self.meta, self.end_method, self.lras_port = game_start(message[event.start : event.end]), None, -1
                seen |= Seen.START
            elif event.command == Command.GAME_END:
                known = message[event.start + 1] in {int(method) for method in EndMethod}
                self.end_method = EndMethod(message[event.start + 1]) if known else EndMethod.UNRESOLVED
                seen |= Seen.END
            elif event.command == Command.BOOKEND:
                seen |= Seen.FRAME
        if start < len(message) and message[start] != MENU_EVENT:
            raise BrokenStream(f"an unknown or cut event (0x{message[start]:02x})")
        return seen


def write_state(
    console: melee.Console,
    state: melee.GameState,
    meta: GameMeta,
    ports: Sequence[int],
    frames: NDArray[np.void],
) -> None:
    """A GameState as the frame record in frames [1] FRAME; see LibmeleeReader for what stays absent."""
    frames[...] = ABSENT_FRAME
    frame = frames[0]
    frame["frame"], frame["stage"], frame["ports"] = state.frame, meta.stage, ports
    if meta.has_timer:
        frame["frames_left"] = max(meta.timer_s * 60 - max(state.frame, 0), 0)
    for seat, port in enumerate(ports):
        leader = state.players.get(port + 1)
        for slot, player in enumerate((leader, leader.nana if leader else None)):
            if player is not None:
                _write_player(console, player, frame["players"][seat, slot])
    for slot, item in enumerate(state.projectiles[:ITEM_SLOTS]):
        _write(frame["items"][slot], _item_values(item))
    if state.fod_platforms is not None:
        frame["fod_left"], frame["fod_right"] = state.fod_platforms.left, state.fod_platforms.right
    if state.whispy is not None:
        frame["whispy"] = state.whispy.value


def _write(record: NDArray[np.void], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        record[name] = value


def _write_player(console: melee.Console, player: melee.PlayerState, record: NDArray[np.void]) -> None:
    action, character = player.action.value, player.character.value
    shifted = action in console.zero_indices[character]
    values = {
        "character": character,
        "action": action,
        "state_age": player.action_frame - int(shifted),
        "x": player.position.x,
        "y": player.position.y,
        "facing": 1.0 if player.facing else -1.0,
        "percent": player.percent,
        "shield": player.shield_strength,
        "stocks": player.stock,
        "misc_timer": player.hitstun_frames_left,
        "airborne": int(not player.on_ground),
        "jumps_left": player.jumps_left,
        "hurtbox": int(player.invulnerable),
        "speed_air_x": player.speed_air_x_self,
        "speed_y": player.speed_y_self,
        "speed_x_attack": player.speed_x_attack,
        "speed_y_attack": player.speed_y_attack,
        "speed_ground_x": player.speed_ground_x_self,
        "hitlag": player.hitlag_left,
    }
    _write(record, values)
    _write_controller(player.controller_state, record)


def _write_controller(state: melee.ControllerState, record: NDArray[np.void]) -> None:
    def mask(buttons: Mapping[melee.Button, bool]) -> int:
        return sum(bit for name, bit in _BUTTONS.items() if buttons[melee.Button[name]])

    values = {
        "buttons": mask(state.button),
        "stick_x": 2 * state.main_stick[0] - 1,
        "stick_y": 2 * state.main_stick[1] - 1,
        "c_x": 2 * state.c_stick[0] - 1,
        "c_y": 2 * state.c_stick[1] - 1,
        "shoulder": state.l_shoulder,
    }
    _write(record["controller"], values)
    record["buttons_processed"] = mask(state.processed_button)
    record["raw_x"], record["raw_y"] = state.raw_main_stick


def _item_values(item: melee.Projectile) -> dict[str, Any]:
    return {
        "kind": item.type.value,
        "state": item.subtype,
        "speed_x": item.speed.x,
        "speed_y": item.speed.y,
        "x": item.position.x,
        "y": item.position.y,
        "timer": item.expiration_frames,
        "spawn_id": item.spawn_id,
        "owner": int(item.owner) - 1,
    }


def menu_scene(payload: bytes) -> int:
    """Scene of a menu event: 0x0202 is a running game."""
    scene: int = struct.unpack_from(">H", payload, 1)[0] if len(payload) > 2 else 0
    return scene
