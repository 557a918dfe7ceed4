"""Ray for one command: a session of one's own on this machine, or the cluster that a submitted job runs on."""

from __future__ import annotations

import importlib.util
import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from exphil_league.config.training import RayConfig
from exphil_league.errors import UserError

SWITCHES = {
    "RAY_USAGE_STATS_ENABLED": "0",  # nothing is sent anywhere
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",  # progress.csv breaks when a run is resumed; we name our loggers
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_DATA_LOG_LEVEL": "ERROR",
}


def require_train_extra(command: str) -> None:
    """Set Ray's switches, which it reads when it is imported. Raises UserError when the `train` extra is missing."""
    missing = [name for name in ("ray", "torch") if importlib.util.find_spec(name) is None]
    if missing:
        raise UserError(
            f"`{command}` needs {' and '.join(missing)}, which the base install leaves out: "
            'pip install "exphil-league[train]" (in a checkout: make setup)'
        )
    for name, value in SWITCHES.items():
        os.environ.setdefault(name, value)


@contextmanager
def ray_session(wanted: RayConfig) -> Iterator[None]:
    """Ray while the block runs. A submitted job uses the cluster it was submitted to (RAY_ADDRESS)."""
    import ray

    for name in ("ray.rllib", "ray.tune"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # what fails is raised, and shown once
    address = os.environ.get("RAY_ADDRESS")
    options = {"address": address} if address else {"address": "local", "num_cpus": cpus(wanted)}
    dashboard = None if address else False
    try:  # from the beginning: Ctrl-C while it starts must not leave half of it
        ray.init(**options, include_dashboard=dashboard, log_to_driver=False, logging_level=logging.ERROR)
        if not address:
            check_gpus(wanted, ray.cluster_resources().get("GPU", 0.0))
        yield
    finally:
        ray.shutdown()


@contextmanager
def interrupt_kept() -> Iterator[None]:
    """Ctrl-C means after the block what it did before: Tune takes it, and gives it back only when it came."""
    before = signal.getsignal(signal.SIGINT)
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGINT, before)


def check_gpus(wanted: RayConfig, present: float) -> None:
    """Raises UserError when the recipe asks for more GPUs than there are: Ray would wait for them forever."""
    asked = max(wanted.num_learners, 1) * wanted.num_gpus_per_learner
    asked += wanted.num_env_runners * wanted.num_gpus_per_env_runner
    if asked > present:
        raise UserError(
            f"the recipe asks for {asked:g} GPUs (ray.num_gpus_per_learner, ray.num_gpus_per_env_runner) and Ray finds "
            f"{present:g} on this machine; `exphil-league doctor` says what it sees. Lower them, or leave them at 0"
        )


def cpus(wanted: RayConfig) -> int:
    """CPUs of a local session: this machine's cores, but never fewer than the recipe's processes ask for."""
    return max(os.cpu_count() or 1, 1 + wanted.num_env_runners + wanted.num_learners)
