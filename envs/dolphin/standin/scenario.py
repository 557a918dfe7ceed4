"""What a stand-in plays and what goes wrong with it. The file passes for an ISO of Melee: its path is given as one."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final, Literal, Self, get_args

from envs.game import character_id

DISC_HEAD: Final = b"GALE01\x00\x02"
"""First bytes of a disc of Melee, NTSC 1.02; the scenario follows as JSON, and what it leaves out is as usual."""
SIM, SCRIPTED = "sim", "scripted"
FaultKind = Literal[
    "exit_at_boot",
    "slow_boot",  # value: seconds
    "bind_refused",  # value: tries a second apart
    "no_spectator",
    "crash",
    "exit",
    "freeze",  # every thread
    "hang",  # the emulation only
    "disconnect",
    "late",  # value: seconds, once
    "slow_frames",  # value: seconds, each frame from then on
    "leak",  # value: MiB, each frame from then on
    "rollback",  # value: frames before it that are sent again, at most 7
    "menu_in_frame",
    "unknown_event",
    "truncated",
    "wrong_character",
    "stuck_menu",
    "missing_end",
    "duplicate_end",
    "deaf_pad",
    "no_trigger",
    "one_flush",  # an old Ishiiruka build: the first pad's FLUSH frees the game from waiting for the others
    "lag",  # value: frames
    "random",  # faults of all kinds, on average one in at_frame frames; see Scenario.drawn
]
_SPOILT: Final[tuple[FaultKind, ...]] = (
    "exit_at_boot", "no_spectator", "stuck_menu", "wrong_character", "deaf_pad",
)  # fmt: skip
_ENDURED: Final[tuple[FaultKind, ...]] = ("late", "rollback", "menu_in_frame")
_DEADLY: Final[tuple[FaultKind, ...]] = (
    "crash", "exit", "freeze", "hang", "disconnect", "truncated", "unknown_event", "leak",
)  # fmt: skip
SPOILT_SHARE: Final = 0.1
"""Of the processes with random faults, those that are spoilt from the start."""


@dataclass(frozen=True)
class FaultSwitch:
    """One thing that goes wrong."""

    kind: FaultKind
    at_frame: int = 1
    """Game frame of the process at which it strikes or begins, the first is 1; means nothing to what has no moment."""
    value: float = 1.0
    """Seconds, MiB or frames, where the kind has one."""

    def __post_init__(self) -> None:
        if self.kind not in get_args(FaultKind):
            raise ValueError(f"unknown fault {self.kind!r}; there are {', '.join(get_args(FaultKind))}")


@dataclass(frozen=True)
class Opponent:
    """Who is met when this code is typed for direct play."""

    code: str = "STND#000"
    name: str = "Stand-in"
    character: str = "FOX"
    level: int = 5
    costume: int = 0
    port: int = 0
    """0 or 1, which the game calls port 1 or 2; the other one is for whoever typed the code."""
    search_frames: int = 30
    """Menu frames between the code and the game."""

    def __post_init__(self) -> None:
        character_id(self.character)
        if self.port not in (0, 1):
            raise ValueError(f"opponent.port is 0 or 1, not {self.port}")


@dataclass(frozen=True)
class Scenario:
    """Content and conduct of one stand-in."""

    content: str = SIM
    """`sim`, `scripted` (fighters who stand still and lose their stocks in turn), or the path of a .slp."""
    slippi: tuple[int, int, int] = (3, 18, 0)
    """Version of the events of games that are not recorded."""
    seed: int = 0
    startup_s: float = 0.0
    """Seconds from the start to the spectator server."""
    scripted_frames: int = 1200
    """Length of a scripted game."""
    cpu: str = "envs.dolphin.standin.cpu:StandInCpu"
    """`module:class` of the player behind a CPU level; see `envs.dolphin.standin.cpu.Cpu`."""
    pausing: bool = True
    """Whether START pauses a game; L+R+A+START leaves it either way."""
    opponent: Opponent = Opponent()
    faults: tuple[FaultSwitch, ...] = ()

    def fault(self, kind: FaultKind) -> FaultSwitch | None:
        """The switch of a kind, if it is set."""
        return next((fault for fault in self.faults if fault.kind == kind), None)

    def drawn(self, rng: random.Random) -> Self:
        """With what one process is to suffer in place of a `random` switch."""
        chance = self.fault("random")
        if chance is None:
            return self
        others = tuple(fault for fault in self.faults if fault.kind != "random")
        return replace(self, faults=(*others, *_fate(chance.at_frame, rng)))

    def to_bytes(self) -> bytes:
        """The file's bytes."""
        return DISC_HEAD + json.dumps(asdict(self)).encode()

    def write(self, path: Path) -> Path:
        """Write the file; returns its path."""
        path.write_bytes(self.to_bytes())
        return path

    @classmethod
    def read(cls, path: Path) -> Self:
        """From its file. Raises ValueError for a file that is none."""
        data = path.read_bytes()
        if not data.startswith(DISC_HEAD):
            raise ValueError(f"{path} is no scenario of the stand-in")
        values = json.loads(data.removeprefix(DISC_HEAD))
        parts = {
            "slippi": tuple(values.get("slippi", cls.slippi)),
            "opponent": Opponent(**values.get("opponent", {})),
            "faults": tuple(FaultSwitch(**fault) for fault in values.get("faults", ())),
        }
        return cls(**values | parts)


def _fate(mean_frames: int, rng: random.Random) -> Iterator[FaultSwitch]:
    """Faults up to the first after which nothing comes any more."""
    if rng.random() < SPOILT_SHARE:
        yield FaultSwitch(rng.choice(_SPOILT))
        return
    at_frame, kind = 0, _ENDURED[0]
    while kind in _ENDURED:
        at_frame += 1 + int(rng.expovariate(1 / mean_frames))
        kind = rng.choice(_DEADLY + _ENDURED)
        yield FaultSwitch(kind, at_frame)
