"""Temporal cores, one file each; importing this package registers them."""

from policies.cores import gru, mlp
from policies.cores.base import CORES, Core, State, UnknownCore, build_core, register

__all__ = ["CORES", "Core", "State", "UnknownCore", "build_core", "gru", "mlp", "register"]
