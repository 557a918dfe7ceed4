"""How the scripted players' kernels are compiled and cached; see envs.jit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import envs.stage_outlines
from envs.jit import RECORDS, entry_of, kernel

__all__ = ["SOURCES", "entry", "kernel"]

SOURCES: Final = (*Path(__file__).parent.glob("scripted*.py"), Path(envs.stage_outlines.__file__), *RECORDS)
"""Files whose code or constants end up in the scripted players' kernels."""

entry = entry_of(SOURCES)
"""Decorator of a kernel that Python calls."""
