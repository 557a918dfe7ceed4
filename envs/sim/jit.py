"""How the simulator's kernels are compiled and cached; see envs.jit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from envs.jit import RECORDS, entry_of, kernel

__all__ = ["SOURCES", "entry", "kernel"]

_HERE = Path(__file__).parent

SOURCES: Final = (*_HERE.glob("*.py"), *_HERE.glob("kernel/*.py"), *RECORDS)
"""Files whose code or constants end up in the simulator's kernels."""

entry = entry_of(SOURCES)
"""Decorator of a kernel that Python calls."""
