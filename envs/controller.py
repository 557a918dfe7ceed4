"""The controller record and the codec between controllers and the policy's six action parts.

An action is six categorical parts in this order: the 8 buttons as one block (256 values), main stick x,
main stick y, C-stick x, C-stick y (17 centres each), analog shoulder (5). The stick centres are chosen so
that every rule of the game that looks at a stick (dead zone 0.28, walk, tilt, run 0.625, dash 0.8, ...)
falls between two centres, and every centre is a value a real controller gives (a multiple of 1/80).
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.game import Button

CONTROLLER: Final = np.dtype(
    [
        ("buttons", "<i4"),  # bit mask of envs.game.Button (physical buttons)
        ("stick_x", "<f4"),  # processed main stick, -1..1, dead zone applied
        ("stick_y", "<f4"),
        ("c_x", "<f4"),  # processed C-stick, -1..1
        ("c_y", "<f4"),
        ("shoulder", "<f4"),  # processed analog trigger, 0..1
    ]
)
"""One player's input of one frame; every field is one 32-bit word."""

PARTS: Final = ("buttons", "main_x", "main_y", "c_x", "c_y", "shoulder")
PART_SIZES: Final = (256, 17, 17, 17, 17, 5)

_POSITIVE = np.array([25, 36, 48, 51, 55, 56, 70, 80], np.float32) / np.float32(80)
STICK_CENTRES: Final[NDArray[np.float32]] = np.concatenate([-_POSITIVE[::-1], [0.0], _POSITIVE]).astype(np.float32)
"""17 values an axis decodes to; 56/80 is the notch of a diagonal."""
_EDGE = np.array([0.28 * 80, 30, 44, 50, 53, 56, 64, 76], np.float32) / np.float32(80)
STICK_EDGES: Final[NDArray[np.float32]] = np.concatenate([-_EDGE[::-1], _EDGE]).astype(np.float32)
"""16 bucket edges, at the game's thresholds: dead zone 0.28, turn-run 0.375, special 0.55, run 0.625, tap jump
and fast fall 0.6625, roll and SDI 0.7, dash and smash 0.8 (common fighter data, PlCo.dat, public tables)."""
SHOULDER_CENTRES: Final[NDArray[np.float32]] = np.array([0.0, 0.35, 0.55, 0.8, 1.0], np.float32)
SHOULDER_EDGES: Final[NDArray[np.float32]] = np.array([0.3, 0.45, 0.675, 0.9], np.float32)
"""Analog shield begins at the trigger dead zone 0.3 (same source)."""

BUTTON_BITS: Final[NDArray[np.int32]] = np.array([int(b) for b in Button], np.int32)
"""Game mask of each of the 8 bits of the button block, lowest bit first (A, B, X, Y, Z, L, R, D-up)."""
_MASK_OF_BLOCK = np.array(
    [sum(int(BUTTON_BITS[i]) for i in range(8) if block >> i & 1) for block in range(256)], np.int32
)


def _bucket(values: NDArray[np.float32], edges: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Index of the bucket of each value. An edge belongs to the bucket farther from zero, as the game's
    comparisons are `>=`; so negative edges open to the left."""
    low = np.searchsorted(edges, values, side="left")
    high = np.searchsorted(edges, values, side="right")
    return np.where(values < 0, low, high).astype(np.uint8)


def encode(controllers: NDArray[np.void]) -> NDArray[np.uint8]:
    """Controllers [...] -> action parts [..., 6] (uint8), each the bucket its value falls in."""
    parts = np.empty((*controllers.shape, len(PARTS)), np.uint8)
    mask = controllers["buttons"]
    block = np.zeros(controllers.shape, np.int32)
    for bit, button in enumerate(BUTTON_BITS):
        block |= ((mask & button) != 0).astype(np.int32) << bit
    parts[..., 0] = block
    for part, axis in enumerate(("stick_x", "stick_y", "c_x", "c_y"), start=1):
        parts[..., part] = _bucket(controllers[axis], STICK_EDGES)
    parts[..., 5] = _bucket(controllers["shoulder"], SHOULDER_EDGES)
    return parts


def decode(parts: NDArray[np.integer]) -> NDArray[np.void]:
    """Action parts [..., 6] -> controllers [...]: each part becomes its centre. `encode(decode(p)) == p`."""
    controllers = np.empty(parts.shape[:-1], CONTROLLER)
    controllers["buttons"] = _MASK_OF_BLOCK[parts[..., 0]]
    for part, axis in enumerate(("stick_x", "stick_y", "c_x", "c_y"), start=1):
        controllers[axis] = STICK_CENTRES[parts[..., part]]
    controllers["shoulder"] = SHOULDER_CENTRES[parts[..., 5]]
    return controllers


def neutral(shape: tuple[int, ...]) -> NDArray[np.void]:
    """Controllers with nothing pressed."""
    return np.zeros(shape, CONTROLLER)


NEUTRAL_PARTS: Final[NDArray[np.uint8]] = encode(np.zeros((), CONTROLLER))
"""Action parts [6] of a controller with nothing pressed: (0, 8, 8, 8, 8, 0)."""
