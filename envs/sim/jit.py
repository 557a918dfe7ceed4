"""How kernels are compiled: `kernel` for the parts, `entry` for what Python calls.

Only entries are cached on disk, with all their parts inside. Numba keys a cache by the file that holds the
function, so a change in another file would go unseen; here the key covers every file of the package.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import lru_cache
from importlib import resources
from typing import Any

from numba import njit

__all__ = ["entry", "kernel"]

kernel: Callable[..., Any] = njit
"""Decorator of a function that only kernels call."""


@lru_cache(maxsize=1)
def _sources_stamp() -> str:
    digest = hashlib.sha256()
    package = resources.files(__package__)
    for folder in (package, package.joinpath("kernel")):
        for file in sorted(folder.iterdir(), key=lambda f: f.name):
            if file.name.endswith(".py") or file.name == "common.toml":
                digest.update(file.read_bytes())
    return digest.hexdigest()


def entry(function: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator of a kernel that Python calls: compiled once per machine and version of this package."""
    dispatcher: Any = njit(cache=True)(function)
    dispatcher._cache._cache_file._source_stamp = _sources_stamp()
    return dispatcher
