"""Ray for one command: a session of one's own on this machine, or the cluster that a submitted job runs on."""

from __future__ import annotations

import importlib.util
import logging
import os
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
        yield
    finally:
        ray.shutdown()


def cpus(wanted: RayConfig) -> int:
    """CPUs of a local session: this machine's cores, but never fewer than the recipe's processes ask for."""
    return max(os.cpu_count() or 1, 1 + wanted.num_env_runners + wanted.num_learners)
