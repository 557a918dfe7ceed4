"""One finding of the verification: a measured number beside the threshold it must keep."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Check:
    """A number and its bound. Not finite: the core failed before it could be measured, which is never ok."""

    name: str
    threshold: float
    measured: float
    at_least: bool = False
    """Whether the threshold is the least, not the most, that is allowed."""
    remarks: tuple[str, ...] = ()
    """What was found wrong, in words."""

    @property
    def ok(self) -> bool:
        within = self.measured >= self.threshold if self.at_least else self.measured <= self.threshold
        return math.isfinite(self.measured) and within

    def row(self) -> dict[str, Any]:
        """JSON-ready; `measured` is null when nothing could be measured."""
        measured = self.measured if math.isfinite(self.measured) else None
        return {"name": self.name, "threshold": self.threshold, "measured": measured, "ok": self.ok}


def failed(error: Exception) -> str:
    """A remark for a core that raised."""
    return f"the core raised {type(error).__name__}: {error}"
