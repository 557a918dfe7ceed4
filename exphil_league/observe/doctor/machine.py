"""Checks of this machine and of what is installed on it, the ones that `play` and `watch` need first."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement

import envs
from exphil_league.observe.doctor.check import Answer, Check, Trouble, bad, fine

GIB: Final = 1024**3
TRAIN_EXTRA: Final = "train"
TRAIN_ENGINES: Final = ("torch", "ray")
BASE_REMEDY: Final = "pip install exphil-league"
TRAIN_REMEDY: Final = 'pip install "exphil-league[train]" (in a checkout: make setup)'
ENOUGH_DISK_GIB: Final = 2.0
ENOUGH_CORES: Final = 2
ENOUGH_SHARED_GIB: Final = 1.0
IMPORT_LIMIT_S: Final = 120.0
_SHARED: Final = Path("/dev/shm")


def machine_checks() -> list[Check]:
    """Python, packages, compile cache, cores, disk; Ray and GPU where the train extra is installed."""
    return [
        Check("python", python),
        *(_package_check(requirement, BASE_REMEDY) for requirement in _requirements("")),
        *train_checks(),
        Check("compile cache", compile_cache),
        Check("cores", cores),
        Check("disk", partial(disk, Path.cwd())),
    ]


def train_checks() -> list[Check]:
    """What `train` and `bc` need. None of it installed is a choice, some of it is a broken installation."""
    required = _requirements(TRAIN_EXTRA)
    if not any(_installed_version(requirement.name) for requirement in required if requirement.name in TRAIN_ENGINES):
        return [Check("train extra", lambda: fine("not installed; play and watch do without", TRAIN_REMEDY))]
    return [
        *(_package_check(requirement, TRAIN_REMEDY) for requirement in required),
        Check("ray starts up", ray_import, ("ray",), IMPORT_LIMIT_S),
        Check("shared memory", shared_memory),
        Check("gpu", gpu, ("torch",), IMPORT_LIMIT_S),
    ]


def python() -> Answer:
    """Is this Python one that the pins are resolved for?"""
    found = f"{platform.python_version()} on {platform.system()} {platform.machine()}"
    right = (3, 11) <= sys.version_info[:2] <= (3, 12)
    return fine(found) if right else bad(found, "install Python 3.11 or 3.12")


def compile_cache() -> Answer:
    """Can numba keep compiled code between runs? Without it each start compiles for a minute or more."""
    folder = Path(os.environ.get("NUMBA_CACHE_DIR") or Path(envs.__path__[0]) / "sim" / "__pycache__")
    target = next(parent for parent in (folder, *folder.parents) if parent.exists())
    try:
        with tempfile.NamedTemporaryFile(dir=target):
            return fine(str(folder))
    except OSError as error:
        return bad(f"{folder}: {error.strerror}", "set NUMBA_CACHE_DIR to a writable folder")


def cores() -> Answer:
    """Cores this process may use."""
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    remedy = f"the packaged recipes are sized for {ENOUGH_CORES}: expect them to take longer"
    return fine(str(count)) if count >= ENOUGH_CORES else bad(str(count), remedy)


def disk(folder: Path) -> Answer:
    """Free space where runs go by default."""
    free_gib = shutil.disk_usage(folder).free / GIB
    found = f"{free_gib:.1f} GiB free in {folder}"
    return fine(found) if free_gib >= ENOUGH_DISK_GIB else bad(found, f"make room: {ENOUGH_DISK_GIB:g} GiB for a run")


def ray_import() -> Answer:
    """Does Ray load? Its metadata alone does not say so."""
    return fine(f"ray {_child('import ray; print(ray.__version__)')} loads")


def shared_memory() -> Answer:
    """What Ray keeps its objects in; containers often have 64 MiB of it."""
    if not _SHARED.is_dir():
        return fine("no /dev/shm: Ray uses files instead")
    free_gib = shutil.disk_usage(_SHARED).free / GIB
    remedy = "" if free_gib >= ENOUGH_SHARED_GIB else "give the container more (--shm-size=4g): Ray is slow without"
    return fine(f"{free_gib:.1f} GiB free in {_SHARED}", remedy)


def gpu() -> Answer:
    """Is there a GPU, and does torch see it? None is no failure."""
    smi = shutil.which("nvidia-smi")
    if smi is None:
        return fine("no NVIDIA driver: learners train on the CPU")
    query = [smi, "--query-gpu=name,memory.total", "--format=csv,noheader"]
    listed = subprocess.run(query, capture_output=True, text=True, timeout=20, check=False)
    if listed.returncode != 0 or not listed.stdout.strip():
        said = (listed.stdout + listed.stderr).strip()[:200]
        return fine(f"nvidia-smi finds none: {said}", "should there be one: start the container with --gpus all")
    names = "; ".join(listed.stdout.strip().splitlines())
    seen = _child("import torch; print(torch.cuda.is_available(), torch.__version__)")
    if seen.startswith("True"):
        return fine(f"{names}; torch {seen.split()[1]} sees it")
    remedy = "install the CUDA build of torch that the driver supports (pytorch.org, Get Started)"
    return bad(f"{names}, but torch {seen.split()[-1]} does not see it", remedy)


def _child(program: str) -> str:
    """What a program prints in a Python of its own. Raises Trouble with the last line of its complaint."""
    command = [sys.executable, "-c", program]
    done = subprocess.run(command, capture_output=True, text=True, timeout=IMPORT_LIMIT_S, check=False)
    if done.returncode != 0:
        complaint = (done.stderr.strip().splitlines() or ["no message"])[-1]
        raise Trouble(f"`{program}` fails: {complaint}", TRAIN_REMEDY)
    return done.stdout.strip()


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


def _package_check(requirement: Requirement, remedy: str) -> Check:
    return Check(requirement.name, partial(_package, requirement, remedy))


def _package(requirement: Requirement, remedy: str) -> Answer:
    version = _installed_version(requirement.name)
    if version is None:
        return bad("not installed", remedy)
    if not requirement.specifier.contains(version, prereleases=True):
        return bad(f"{version}, needs {requirement.specifier}", remedy)
    return fine(version)
