"""What `doctor` looks at. Imports neither torch nor Ray: it asks the package metadata about them."""

from __future__ import annotations

import os
import platform
import shutil
import sys
import tempfile
from dataclasses import asdict, dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

GIB = 1024**3
TRAIN_EXTRA = "train"
TRAIN_ENGINES = ("torch", "ray")
TRAIN_REMEDY = 'pip install "exphil-league[train]" (in a checkout: make setup)'
ENOUGH_DISK_GIB = 2.0
ENOUGH_CORES = 2


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    ok: bool
    detail: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


def examine() -> list[Finding]:
    """All findings, the ones `play` and `watch` need first."""
    return [python(), *base_packages(), *train_packages(), compile_cache(), cores(), disk(Path.cwd())]


def python() -> Finding:
    """Is this Python one that the pins are resolved for?"""
    right = (3, 11) <= sys.version_info[:2] <= (3, 12)
    detail = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    return Finding("python", right, detail if right else f"{detail}; needs 3.11 or 3.12")


def base_packages() -> list[Finding]:
    """What every command needs."""
    return [_package(requirement, "") for requirement in _requirements("")]


def train_packages() -> list[Finding]:
    """What `train` and `bc` need. None of it installed is a choice, some of it is a broken installation."""
    required = _requirements(TRAIN_EXTRA)
    found = [_package(requirement, TRAIN_EXTRA) for requirement in required]
    if not any(_installed_version(requirement.name) for requirement in required if requirement.name in TRAIN_ENGINES):
        return [Finding("train extra", True, f"not installed; play and watch do without, train needs {TRAIN_REMEDY}")]
    return found


def _requirements(extra: str) -> list[Requirement]:
    """Declared requirements of the base install (`extra` empty) or of an extra."""
    declared = [Requirement(text) for text in metadata.requires("exphil-league") or []]
    return [requirement for requirement in declared if _extra_of(requirement) == extra]


def _extra_of(requirement: Requirement) -> str:
    if requirement.marker is None:
        return ""
    return next((name for name in (TRAIN_EXTRA, "dev") if requirement.marker.evaluate({"extra": name})), "")


def _installed_version(package: str) -> str | None:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def _package(requirement: Requirement, extra: str) -> Finding:
    remedy = TRAIN_REMEDY if extra else "pip install exphil-league"
    version = _installed_version(requirement.name)
    if version is None:
        return Finding(requirement.name, False, f"not installed; {remedy}")
    if not requirement.specifier.contains(version, prereleases=True):
        return Finding(requirement.name, False, f"{version}, needs {requirement.specifier}; {remedy}")
    return Finding(requirement.name, True, version)


def compile_cache() -> Finding:
    """Can numba keep compiled code between runs? Without it each start compiles for a minute or more."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(__file__).parents[2] / "envs" / "sim" / "__pycache__")
    target = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=target):
            return Finding("compile cache", True, str(folder))
    except OSError as error:
        return Finding("compile cache", False, f"{folder}: {error.strerror}; set NUMBA_CACHE_DIR to a writable folder")


def cores() -> Finding:
    """Cores this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return Finding("cores", count >= ENOUGH_CORES, f"{count}; the packaged recipes are sized for {ENOUGH_CORES}")


def disk(folder: Path) -> Finding:
    """Free space where runs go by default."""
    free_gib = shutil.disk_usage(folder).free / GIB
    return Finding("disk", free_gib >= ENOUGH_DISK_GIB, f"{free_gib:.1f} GiB free in {folder}")
