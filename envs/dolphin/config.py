"""How Dolphin is run: the recipe's section `game.dolphin`, checked once."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class DolphinConfig(BaseModel):
    """Executable, ISO, speed and limits of the emulators that one process runs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    path: Path | None = Field(None, description="Slippi Dolphin's executable or AppImage")
    iso: Path | None = Field(None, description="ISO of Melee, NTSC 1.02")
    instances: int = Field(8, ge=1, le=256, description="emulators one process runs at most")
    headless: bool = Field(True, description="without a window, graphics or sound")
    emulation_speed: float = Field(0.0, ge=0, description="times 60 frames a second (mainline builds); 0: unlimited")
    fast_forward: bool = Field(False, description="ask an ExiAI build for fast-forward; needs exi_inputs")
    exi_inputs: bool = Field(False, description="ask an ExiAI build to take inputs past the game's own polling")
    lockstep: bool = Field(True, description="the game waits for the inputs of every frame")
    online_delay_frames: int = Field(0, ge=0, le=15, description="frames that Slippi holds inputs back")
    frozen_stadium: bool = Field(False, description="Pokemon Stadium without transformations (Slippi 3.19 and later)")
    parser: Literal["own", "libmelee"] = Field("own", description="what reads the frames")
    self_test: bool = Field(True, description="check inputs and their lag in the first countdown after a start")
    ports: tuple[int, int] = Field((51500, 53999), description="UDP ports to choose from, both ends included")
    boots_at_once: int = Field(4, ge=1, description="emulators that boot at the same time on this machine")
    boot_timeout_s: float = Field(60.0, gt=0, description="seconds from the start to the first menu, and for loading")
    patience_s: float = Field(0.5, gt=0, description="seconds after which a step goes on without a frame that is late")
    frame_timeout_s: float = Field(10.0, gt=0, description="seconds a frame may take in a game")
    menu_budget_frames: int = Field(1800, ge=60, description="menu frames from one game to the next")
    tries_per_game: int = Field(3, ge=1, description="emulators started for one game before it is given up")
    restarts: int = Field(5, ge=0, description="faults forgiven within restart_window_s, for each emulator")
    restart_window_s: float = Field(600.0, gt=0, description="seconds after which a fault is forgotten")
    backoff_s: float = Field(
        0.5, ge=0, description="pause before the first restart in seconds; doubles with each fault"
    )
    soft_memory_mib: int = Field(1024, ge=1, description="restart at the end of the game above this resident memory")
    hard_memory_mib: int = Field(2048, ge=1, description="stop at once above this resident memory")
    recycle_frames: int = Field(500_000, ge=0, description="restart after about so many frames; 0: never")
    log_kib: int = Field(256, ge=1, description="of each emulator's output so much is kept")
    replay_dir: Path | None = Field(None, description="folder for Slippi's own replays; none are saved without it")
    run_dir: Path | None = Field(None, description="folder of the emulators' homes; default: in the temporary folder")
    standin_build: Literal["mainline", "ishiiruka"] = Field(
        "mainline", description="build that the backend `standin` imitates"
    )
    standin_fault_every_frames: int = Field(
        0, ge=0, description="frames between two faults of any kind that a stand-in suffers on average; 0: none"
    )

    @model_validator(mode="after")
    def _fits(self) -> DolphinConfig:
        if self.fast_forward and not self.exi_inputs:
            raise ValueError("fast_forward needs exi_inputs: set both, with an ExiAI build")
        if not 1024 <= self.ports[0] <= self.ports[1] <= 65535:
            raise ValueError(f"ports {self.ports[0]} to {self.ports[1]}: give a range within 1024 to 65535")
        if self.soft_memory_mib > self.hard_memory_mib:
            raise ValueError("soft_memory_mib is above hard_memory_mib; lower it")
        return self
