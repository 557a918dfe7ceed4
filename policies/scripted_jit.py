"""How the scripted players' kernels are compiled and cached; see envs.jit."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import envs.jit
from envs.jit import entry_of, kernel

__all__ = ["SOURCES", "entry", "kernel"]

_ENVS = Path(envs.jit.__file__).parent
_RECORDS = ("controller.py", "frame.py", "game.py", "jit.py", "stage_outlines.py")

SOURCES: Final = (*Path(__file__).parent.glob("scripted*.py"), *(_ENVS / name for name in _RECORDS))
"""Files whose code or constants end up in the scripted players' kernels."""

entry = entry_of(SOURCES)
"""Decorator of a kernel that Python calls."""
