"""RUN/population.json: what every round measured and decided, and the numbers that were trained with in between.

A round counts once it is in here. What it decided is carried out afterwards, and again after a kill: carrying out a
round twice is carrying it out once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from exphil_league.population.evolution import Values
from exphil_league.run_folder import read_json, write_json


@dataclass
class Ledger:
    """The rounds so far; round 0 has the numbers that members began with."""

    path: Path
    rounds: list[dict[str, Any]] = field(default_factory=list)
    best: dict[str, Any] | None = None
    """The member whose main player the run stands for, once training has ended."""

    @classmethod
    def load(cls, path: Path) -> Ledger:
        """What is in the file; nothing, where there is none. Raises UserError for a damaged one."""
        found = read_json(path) if path.is_file() else {"rounds": [], "best": None}
        return cls(path, found["rounds"], found["best"])

    @property
    def done(self) -> int:
        """Rounds after which training went on."""
        return len(self.rounds) - 1

    @property
    def values(self) -> dict[str, Values]:
        """By member: the numbers in force."""
        values: dict[str, Values] = self.rounds[-1]["values"]
        return values

    def add(self, **about: Any) -> None:
        """Write the next round down."""
        self.rounds.append({"round": len(self.rounds), **about})
        self.save()

    def save(self) -> None:
        write_json(self.path, {"rounds": self.rounds, "best": self.best})
