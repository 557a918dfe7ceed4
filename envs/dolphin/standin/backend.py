"""`game.backend: standin`: `DolphinBackend` on stand-ins, which need neither an executable nor an ISO."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.backend import UnsupportedMatchup
from envs.dolphin.backend import DolphinBackend
from envs.dolphin.build import Build, find_build
from envs.dolphin.config import DolphinConfig
from envs.dolphin.menu import GameOrder
from envs.dolphin.standin.program import launcher, write_executable
from envs.dolphin.standin.scenario import SIM, FaultSwitch, Scenario
from envs.dolphin.standin.worlds import simulator
from envs.game import character_name
from envs.sim.compile import CHARACTERS

_PREFIX: Final = "standin-"


def standin_config(config: DolphinConfig, folder: Path, scenario: Scenario) -> DolphinConfig:
    """`config` with a stand-in, and its scenario for the ISO, in `folder`: written once, by whoever comes first."""
    scene = scenario.to_bytes()
    digest = hashlib.sha256(scene + launcher(config.standin_build).encode()).hexdigest()[:12]
    home = folder / f"{_PREFIX}{digest}"
    if not (home / "melee.iso").exists():
        home.mkdir(parents=True, exist_ok=True)
        write_executable(home, config.standin_build)
        part = home / f"melee.iso.{os.getpid()}.part"
        part.write_bytes(scene)
        os.replace(part, home / "melee.iso")
    executable = home / f"dolphin-standin-{config.standin_build}"
    return config.model_copy(update={"path": executable, "iso": home / "melee.iso"})


class StandInBackend(DolphinBackend):
    """N games on N stand-ins. See DolphinBackend."""

    name = "standin"

    def __init__(self, num_games: int, config: DolphinConfig, scenario: Scenario | None = None) -> None:
        """config: its `path` and `iso` mean nothing here. scenario: what all of them play; default our simulator."""
        self._scenario = scenario or _rehearsal(config)
        super().__init__(num_games, config)
        if self._scenario.content == SIM:
            from envs.sim.compile import SIM_VERSION, digest

            self.version += f", {SIM_VERSION}-{digest()}"  # ratings depend on what plays the games

    def _installation(self, config: DolphinConfig, folder: Path) -> tuple[Build, Path]:
        if self._scenario.content == SIM:
            simulator()  # compiled here, once, rather than in every stand-in while its owner waits for its boot
        own = standin_config(config, folder, self._scenario)
        assert own.iso is not None
        return find_build(own, folder), own.iso

    def _order(self, matchup: NDArray[np.void]) -> GameOrder:
        order = super()._order(matchup)
        if self._scenario.content == SIM:
            lacking = {character_name(c) for c in order.characters} - {*CHARACTERS}
            if lacking:
                names = ", ".join(sorted(lacking))
                raise UnsupportedMatchup(f"stand-ins cannot play {names}: their simulator has {', '.join(CHARACTERS)}")
        return order


def _rehearsal(config: DolphinConfig) -> Scenario:
    """Our simulator, with the faults that the configuration asks for."""
    every = config.standin_fault_every_frames
    return Scenario(faults=(FaultSwitch("random", every),) if every else ())
