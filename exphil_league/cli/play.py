"""`play` and `watch`: games of an agent against somebody, and looking at one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

import tyro

from exphil_league.cli.command import MET, SHORT_OF_THRESHOLD, Command, Outcome


@dataclass(frozen=True, kw_only=True)
class Play(Command):
    """Play an agent against another one, the game's own players, or yourself, and save the games as .slp files."""

    agent: Annotated[str | None, tyro.conf.Positional, tyro.conf.arg(metavar="AGENT")] = None
    """agent file, scripted player, or module:factory; or give --run"""
    folder: Annotated[Path | None, tyro.conf.arg(name="run", metavar="RUN")] = None
    """play the best agent of this run folder"""
    opponent: Annotated[str | None, tyro.conf.arg(metavar="NAME")] = None
    """whom it meets, named like the agent (default: fighter); on emulators also cpu:1 to cpu:9, and human"""
    backend: str = "sim"
    """what plays the game: sim, dolphin (your Slippi Dolphin and ISO), or standin (a rehearsal of dolphin)"""
    character: str = "FOX"
    """whom the agent plays"""
    opponent_character: str = "FOX"
    """whom the opponent plays, where that is not a person"""
    stage: str = "FINAL_DESTINATION"
    """name of the stage, where no person picks it"""
    stocks: int = 4
    """lives of each player"""
    time_limit_s: float = 480.0
    """seconds until the timer ends the game"""
    speed: float = 1.0
    """times real time; 0: as fast as it goes"""
    seed: int | None = None
    """of the players' randomness; on the simulator the same seed plays the same game; default: another each time"""
    out: Annotated[Path | None, tyro.conf.arg(metavar="FILE.slp")] = None
    """where the game is saved, further ones as FILE-2.slp and so on; default: a new file here"""
    view: bool = False
    """show a game of the simulator in the terminal"""
    console_delay: int | None = None
    """frames that the console adds between a press and its effect; agents press so much earlier, as far as they can
    (default: 2 on line, else 0)"""
    delay_frames: int | None = None
    """frames from what the agent sees to what it does, the console's among them; default: as it was trained"""
    action_repeat: int | None = None
    """frames from one decision of the agent to the next; default: as it was trained"""
    deterministic: bool = False
    """the agent takes its likeliest action instead of drawing one"""
    dolphin: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """Slippi Dolphin's executable; default: where the Slippi launcher installs it"""
    iso: Annotated[Path | None, tyro.conf.arg(metavar="PATH")] = None
    """ISO of Melee, NTSC 1.02; default: the Slippi launcher's"""
    headless: bool = False
    """Dolphin without a window (builds that can)"""
    controller: Annotated[str | None, tyro.conf.arg(metavar="FILE.ini")] = None
    """for --opponent human: a controller configuration (GCPadNew.ini), or `adapter`; default: an adapter that is
    plugged in, else your own Dolphin's configuration"""
    costume: int | None = None
    """of the agent's character on an emulator, 0 is the first"""
    opponent_costume: int | None = None
    """of the opponent's character on an emulator"""
    loop: Literal["sync", "async"] | None = None
    """on emulators: the game waits for the agent on every frame, or never does (default: async against persons)"""
    on_game_end: Literal["restart", "stop"] | None = None
    """on emulators: begin another game, until Ctrl-C or --games, or stop (the default)"""
    games: int | None = None
    """on emulators: so many games, one after the other"""
    connect_code: Annotated[str | None, tyro.conf.arg(metavar="ABCD#123")] = None
    """meet this player on line, by direct code; there is no other way to meet people with a program"""
    user_json: Annotated[Path | None, tyro.conf.arg(metavar="FILE")] = None
    """your account at Slippi, for games on line; default: your own Dolphin's"""

    def run(self) -> Outcome:
        from exphil_league.play.session import PlaySettings, play

        own = {
            name: value
            for name, value in vars(self).items()
            if name not in ("json", "folder", "character", "opponent_character")
        }
        characters = (self.character, self.opponent_character)
        result = play(PlaySettings(run=self.folder, characters=characters, **own))
        lost = any(game["ended_by"] == "fault" for game in result.get("games", ()))
        return Outcome(result, SHORT_OF_THRESHOLD if lost else MET)


@dataclass(frozen=True, kw_only=True)
class Watch(Command):
    """Look at a .slp file: as one offline HTML page, or in the terminal."""

    replay: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="FILE.slp")]
    """any two-player game"""
    html: Annotated[Path | None, tyro.conf.arg(metavar="PAGE")] = None
    """write a page here instead of playing in the terminal"""
    speed: float = 1.0
    """of the terminal, times real time; 0: as fast as it goes"""

    def run(self) -> Outcome:
        from exphil_league.play.session import watch

        return Outcome(watch(self.replay, self.html, self.speed))
