"""`play` on emulators: an agent against a person, the game's own players or another agent, in real time."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from envs.dolphin.config import DolphinConfig
from envs.dolphin.emulator import Plant, Plug
from envs.dolphin.errors import DolphinSetupError
from envs.dolphin.live import LiveMatch, make_plant
from envs.dolphin.menu import GameOrder
from envs.dolphin.person import Account, find_account, find_controller
from envs.dolphin.places import find_dolphin, find_iso
from envs.game import character_id, character_name, costumes, stage_id
from exphil_league.errors import UserError
from exphil_league.observe.console import say
from exphil_league.play.delays import arrange_delay
from exphil_league.play.live_session import LiveSession
from exphil_league.play.meter import together
from exphil_league.play.players import draw_seed, load_agent, load_opponent, output_file, warn
from exphil_league.play.saved import rescue
from exphil_league.play.seats import Seats
from exphil_league.play.settings import LoopName, Opponent, PlaySettings

_PERSONS_PATIENCE: Final = {"frame_timeout_s": 3600.0, "menu_budget_frames": 3600 * 60, "restarts": 0}
"""A person may pause the game, and look at the menus, for an hour; what breaks under them is not begun again."""


def play_emulated(settings: PlaySettings, opponent: Opponent) -> dict[str, Any]:
    """Play on `settings.backend`, as settings that were checked say.

    Returns {"agent", "opponent", "backend", "build", "loop", "games": [{"winner" "agent", "opponent" or None, "stocks",
    "percent", "frames", "ended_by", "seconds", "stage", "slp", and the figures}], the figures over all games ("fps",
    "late_frames", "repeated_actions", "skipped_frames", "inference_ms" {"p50", "p95", "p99"}), "seed",
    "delay_frames", "console_delay_frames", "faults" by kind, "warnings"}. Raises UserError, DolphinSetupError.
    """
    seed = draw_seed(settings)
    order = _order(settings, opponent)
    agents = (load_agent(settings, seed), load_opponent(opponent.name, seed) if opponent.kind == "agent" else None)
    delay = arrange_delay(agents[0], settings.console_frames, settings.delay_frames)
    other = None if agents[1] is None else arrange_delay(agents[1], settings.console_frames, None)
    warnings = warn((delay.warning, None if other is None else other.warning))
    names = (agents[0].name, opponent.name if agents[1] is None else agents[1].name)
    plugs, account = _plugs(settings, opponent)
    out = output_file(settings, *names)
    loop: LoopName = settings.loop or ("async" if opponent.is_person else "sync")
    plant = make_plant(settings.backend, _config(settings, opponent, loop, out), account)
    _check_on_line(plant, opponent)
    _say_rescued(out, plant.config)
    say(f"{names[0]} against {names[1]} on {plant.build.label}, {loop} loop")
    match = LiveMatch(plant, plugs)
    holds = (delay.hold_frames, None if other is None else other.hold_frames)
    session = LiveSession(settings, opponent, match, Seats(agents), order, loop, holds, names)
    session.run(out)
    return {
        "agent": names[0],
        "opponent": names[1],
        "backend": settings.backend,
        "build": plant.build.label,
        "loop": loop,
        "games": [game.result() for game in session.games if game.played is not None],
        **together(game.meter for game in session.games).figures(),
        "seed": seed,
        "delay_frames": delay.total_frames,
        "console_delay_frames": settings.console_frames,
        "faults": match.faults,
        "warnings": warnings,
    }


def _say_rescued(out: Path, config: DolphinConfig) -> None:
    for replay in rescue(out.parent, config.run_dir):
        say(f"kept from a session that was killed: {replay}")


def _order(settings: PlaySettings, opponent: Opponent) -> GameOrder:
    """The game that is wanted; a person has port 1, and port 2 is the agent's then."""
    characters = (character_id(settings.characters[0]), character_id(settings.characters[1]))
    if settings.backend == "standin":
        _check_simulated(characters)
    return GameOrder(
        characters,
        stage_id(settings.stage),
        ports=(1, 0) if opponent.kind == "human" else (0, 1),
        costumes=_costumes(settings, characters),
        cpu_levels=(0, opponent.cpu_level),
        person=1 if opponent.is_person else None,
        connect_code=opponent.name if opponent.kind == "online" else "",
    )


def _costumes(settings: PlaySettings, characters: tuple[int, int]) -> tuple[int, int] | None:
    """By seat; None where nobody cares. Raises UserError."""
    wanted = (settings.costume, settings.opponent_costume)
    for flag, costume, character in zip(("--costume", "--opponent-costume"), wanted, characters, strict=True):
        if costume is not None and not 0 <= costume < costumes(character):
            most = costumes(character) - 1
            raise UserError(f"{flag} is {costume}; {character_name(character)} has costumes 0 to {most}")
    return None if wanted == (None, None) else (wanted[0] or 0, wanted[1] or 0)


def _check_simulated(characters: tuple[int, int]) -> None:
    from envs.sim.compile import CHARACTERS

    missing = {character for character in characters if character not in map(character_id, CHARACTERS)}
    if missing:
        raise UserError(
            f"the stand-in plays our simulator's characters only: {', '.join(CHARACTERS)}; --backend dolphin has all"
        )


def _plugs(settings: PlaySettings, opponent: Opponent) -> tuple[tuple[Plug, ...], Account | None]:
    """What is in the controller ports, and who plays on line."""
    if opponent.kind == "online":
        return (Plug(0),), find_account(settings.user_json)
    if opponent.kind == "human":
        controller = find_controller(settings.controller)
        return (Plug(0, adapter=controller is None, controller=controller), Plug(1)), None
    return (Plug(0), Plug(1)), None


def _config(settings: PlaySettings, opponent: Opponent, loop: LoopName, out: Path) -> DolphinConfig:
    is_real = settings.backend == "dolphin"
    return settings.emulator.model_copy(
        update={
            "path": find_dolphin(settings.dolphin) if is_real else None,
            "iso": find_iso(settings.iso) if is_real else None,
            "headless": settings.headless or not is_real,
            "emulation_speed": settings.speed,
            "lockstep": loop == "sync",
            "online_delay_frames": settings.console_frames,
            "self_test": loop == "sync" and not opponent.is_person,
            "replay_dir": out.parent.absolute(),
            **(_PERSONS_PATIENCE if opponent.is_person else {}),
        }
    )


def _check_on_line(plant: Plant, opponent: Opponent) -> None:
    if opponent.kind == "online" and plant.build.exi_ai:
        raise DolphinSetupError(
            f"{plant.build.label} is a build for training, and no build to meet others with on line",
            "name the Dolphin that the Slippi launcher installs with --dolphin",
        )
