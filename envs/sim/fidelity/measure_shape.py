"""Bodies, frame by frame: capsules fitted to the silhouettes of a character's animations.

    python -m envs.sim.fidelity.measure_shape SILHOUETTES fox 0.35 > envs/sim/facts/characters/fox_poses.csv

SILHOUETTES is the folder `src/animations/fox` of meleelight (MIT), the number its `charScale` of that character. A
silhouette is drawn as closed Bezier paths; what is thinner than a tail is wiped off it, and PARTS capsules are fitted
to how far points around it are from the rest. Frames that lie on the line between two others are left out.
"""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt
from scipy.optimize import least_squares

from envs.sim.combat_layout import HURT_PARTS

STATES: Final = {
    "WAIT": 13,
    "WALK": 15,
    "TILTTURN": 18,
    "RUNTURN": 19,
    "DASH": 20,
    "RUN": 21,
    "RUNBRAKE": 23,
    "KNEEBEND": 24,
    "JUMPF": 25,
    "JUMPB": 26,
    "JUMPAERIALF": 27,
    "JUMPAERIALB": 28,
    "FALL": 29,
    "FALLAERIAL": 32,
    "FALLSPECIAL": 35,
    "DAMAGEFALL": 38,
    "SQUAT": 39,
    "SQUATWAIT": 40,
    "SQUATRV": 41,
    "LANDING": 42,
    "LANDINGFALLSPECIAL": 43,
    "JAB1": 44,
    "JAB2": 45,
    "JAB3": 46,
    "ATTACKDASH": 50,
    "FORWARDTILT": 51,
    "UPTILT": 56,
    "DOWNTILT": 57,
    "FORWARDSMASH": 58,
    "UPSMASH": 63,
    "DOWNSMASH": 64,
    "ATTACKAIRN": 65,
    "ATTACKAIRF": 66,
    "ATTACKAIRB": 67,
    "ATTACKAIRU": 68,
    "ATTACKAIRD": 69,
    "LANDINGATTACKAIRN": 70,
    "LANDINGATTACKAIRF": 71,
    "LANDINGATTACKAIRB": 72,
    "LANDINGATTACKAIRU": 73,
    "LANDINGATTACKAIRD": 74,
    "DOWNBOUND": 183,
    "DOWNWAIT": 184,
    "DOWNSTANDN": 186,
    "DOWNATTACK": 187,
    "DOWNSTANDF": 188,
    "DOWNSTANDB": 189,
    "TECHN": 199,
    "TECHF": 200,
    "TECHB": 201,
    "GRAB": 212,
    "CATCHWAIT": 216,
    "CATCHATTACK": 217,
    "CATCHCUT": 218,
    "THROWFORWARD": 219,
    "THROWBACK": 220,
    "THROWUP": 221,
    "THROWDOWN": 222,
    "ESCAPEF": 233,
    "ESCAPEB": 234,
    "ESCAPEN": 235,
    "ESCAPEAIR": 236,
    "REBOUND": 237,
    "PASS": 244,
    "OTTOTTO": 245,
    "OTTOTTOWAIT": 246,
    "MISSFOOT": 251,
    "CLIFFCATCH": 252,
    "CLIFFWAIT": 253,
    "CLIFFGETUPSLOW": 254,
    "CLIFFGETUPQUICK": 255,
    "CLIFFATTACKSLOW": 256,
    "CLIFFATTACKQUICK": 257,
    "CLIFFESCAPESLOW": 258,
    "CLIFFESCAPEQUICK": 259,
    "CLIFFJUMPSLOW": 260,
    "CLIFFJUMPQUICK": 262,
}
"""Action states by the name of their silhouettes."""
_PIXELS_PER_UNIT: Final = 4.5  # of meleelight's drawings, before charScale
_CELL: Final = 0.5
_X: Final = np.arange(-20.0, 20.0, _CELL) + _CELL / 2
_Y: Final = np.arange(-8.0, 28.0, _CELL) + _CELL / 2
_AT_X, _AT_Y = np.meshgrid(_X, _Y, indexing="ij")
_LEAST: Final = np.array([-20.0, -8.0, -20.0, -8.0, 0.3] * HURT_PARTS)
_MOST: Final = np.array([20.0, 28.0, 20.0, 28.0, 9.0] * HURT_PARTS)
"""Bounds of a capsule's numbers."""
_THIN: Final = 0.6
"""Units from the outline within which nothing counts as body unless there is some deeper by it."""
_AROUND: Final = 4.0
"""Units around the body in which distances are fitted: as far as the middle of a hitbox that touches it."""
_DRAWN: Final = 30
"""Cells of body below which a frame is taken as not drawn; it is as the one before."""
_POOR: Final = 0.45
"""Mean error of a fit, units, beyond which it is begun anew."""
_ON_THE_LINE: Final = 0.08
"""Units that leaving a frame out may add to its mean error."""
_LONGEST_GAP: Final = 8


def read_silhouettes(path: Path, scale: float) -> list[list[NDArray[np.float64]]]:
    """Outlines of each frame of an animation as polygons [N, 2], units from the root at facing +1."""
    frames: list[list[NDArray[np.float64]]] = []
    depth = 0
    for token in re.finditer(r"Int16Array\(\[([^\]]*)\]\)|\[|\]", path.read_text()):
        if token[1] is not None:
            numbers = np.array([float(number) for number in token[1].split(",")]).reshape(-1, 2)
            frames[-1].append(_polygon(numbers) * (scale / _PIXELS_PER_UNIT * np.array([1.0, -1.0])))
            continue
        depth += 1 if token[0] == "[" else -1
        if token[0] == "[" and depth == 2:
            frames.append([])
    return frames


def _polygon(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Corners along a path of cubic Bezier curves: a start, then three points for each curve."""
    along = np.array([1 / 3, 2 / 3, 1.0])[:, None]
    corners = [points[:1]]
    for k in range(1, len(points) - 2, 3):
        a, (b, c, d) = corners[-1][-1], points[k : k + 3]
        rest = 1.0 - along
        corners.append(rest**3 * a + 3 * rest**2 * along * b + 3 * rest * along**2 * c + along**3 * d)
    return np.concatenate(corners)


def distances(outlines: list[NDArray[np.float64]]) -> NDArray[np.float64]:
    """[X, Y] distance of the grid's points from the body within the outlines, negative inside."""
    inside = np.zeros(_AT_X.shape, np.bool_)
    for corners in outlines:
        inside |= _within(corners)
    depth = np.where(inside, distance_transform_edt(inside) - 0.5, 0.5 - distance_transform_edt(~inside)) * _CELL
    core = depth >= _THIN
    if not core.any():
        core = inside
    outside: NDArray[np.float64] = (distance_transform_edt(~core) - 0.5) * _CELL - _THIN
    return outside


def _within(corners: NDArray[np.float64]) -> NDArray[np.bool_]:
    """[X, Y] whether a point lies within a polygon: to the right of an odd number of its edges."""
    x, y = corners.T
    next_x, next_y = np.roll(x, -1), np.roll(y, -1)
    inside = np.zeros(_AT_X.shape, np.bool_)
    for row, height in enumerate(_Y):
        cut = (y > height) != (next_y > height)
        at = x[cut] + (height - y[cut]) * (next_x[cut] - x[cut]) / (next_y[cut] - y[cut])
        inside[:, row] = np.sum(_X[:, None] < at, axis=1) % 2 == 1
    return inside


class Fit:
    """The distances of one frame and how well PARTS capsules give them back."""

    def __init__(self, wanted: NDArray[np.float64]) -> None:
        checkered = np.indices(wanted.shape).sum(axis=0) % 2 == 0
        near = (wanted > -0.5) & (wanted < _AROUND) & checkered
        far = (wanted >= _AROUND) & (np.indices(wanted.shape) % 4 == 0).all(axis=0)
        used = near | far
        self._x, self._y, self._wanted, self._body = _AT_X[used], _AT_Y[used], wanted[used], wanted < 0
        self._far = far[used]

    def errors(self, capsules: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of the distances, units; far from the body only being too near counts."""
        found = np.min([distance for distance, *_ in self._nearest(capsules)], axis=0)
        return np.where(self._far, np.minimum(found - _AROUND, 0.0), found - self._wanted)

    def error(self, capsules: NDArray[np.float64]) -> float:
        """Root of the mean squared error, units."""
        return float(np.sqrt(np.mean(self.errors(capsules) ** 2)))

    def _slopes(self, capsules: NDArray[np.float64]) -> NDArray[np.float64]:
        """Of `errors` by each number of the capsules: only the nearest part moves a distance."""
        nearest = self._nearest(capsules)
        distance = np.array([part[0] for part in nearest])
        counts = ~self._far | (distance.min(axis=0) < _AROUND)
        slopes = np.zeros((len(self._x), len(capsules)))
        for part, (_, along, away_x, away_y) in enumerate(nearest):
            used = counts & (distance.argmin(axis=0) == part)
            by_end = (
                away_x * (along - 1.0),
                away_y * (along - 1.0),
                -away_x * along,
                -away_y * along,
                -1.0 + 0.0 * along,
            )
            slopes[:, 5 * part : 5 * part + 5] = np.where(used[:, None], np.stack(by_end, axis=1), 0.0)
        return slopes

    def _nearest(self, capsules: NDArray[np.float64]) -> list[tuple[NDArray[np.float64], ...]]:
        """By part: distance, how far along its segment the nearest point lies, and the direction from there."""
        found: list[tuple[NDArray[np.float64], ...]] = []
        for x0, y0, x1, y1, radius in capsules.reshape(HURT_PARTS, -1):
            dx, dy = x1 - x0, y1 - y0
            along = np.clip(((self._x - x0) * dx + (self._y - y0) * dy) / (dx * dx + dy * dy + 1e-9), 0.0, 1.0)
            off_x, off_y = self._x - x0 - along * dx, self._y - y0 - along * dy
            length = np.hypot(off_x, off_y) + 1e-9
            found.append((length - radius, along, off_x / length, off_y / length))
        return found

    def best(self, start: NDArray[np.float64] | None) -> NDArray[np.float64]:
        """The best capsules from those of the frame before, or from the body's own thirds."""
        begin = np.clip(self._thirds() if start is None else start, _LEAST + 0.01, _MOST - 0.01)
        found: NDArray[np.float64] = least_squares(
            self.errors, begin, jac=self._slopes, bounds=(_LEAST, _MOST), max_nfev=40
        ).x
        if start is None or self.error(found) <= _POOR:
            return found
        anew = self.best(None)
        return anew if self.error(anew) < self.error(found) else found

    def _thirds(self) -> NDArray[np.float64]:
        """A capsule for each of PARTS equal shares of the body along its longest axis."""
        points = np.c_[_AT_X[self._body], _AT_Y[self._body]]
        along = (points - points.mean(axis=0)) @ _axis(points)
        ends = np.quantile(along, np.linspace(0.0, 1.0, HURT_PARTS + 1))
        capsules = []
        for low, high in itertools.pairwise(ends):
            share = points[(along >= low) & (along <= high)]
            middle, axis = share.mean(axis=0), _axis(share)
            half = axis * np.std((share - middle) @ axis)
            capsules.append([*(middle - half), *(middle + half), 2.0])
        return np.array(capsules).ravel()


def _axis(points: NDArray[np.float64]) -> NDArray[np.float64]:
    direction: NDArray[np.float64] = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[2][0]
    return direction


def fit_animation(frames: list[list[NDArray[np.float64]]]) -> dict[int, NDArray[np.float64]]:
    """Capsules [PARTS * 5] of the frames that are needed; those between lie on the line between them."""
    fits: list[Fit] = []
    for wanted in map(distances, frames):
        fits.append(Fit(wanted) if np.sum(wanted < 0) >= _DRAWN else fits[-1])
    capsules: list[NDArray[np.float64]] = []
    for fit in fits:
        capsules.append(np.round(fit.best(capsules[-1] if capsules else None), 1))
    keys = {0: capsules[0]}
    last = 0
    while last < len(fits) - 1:
        last = max(_reachable(last, fits, capsules), default=last + 1)
        keys[last] = capsules[last]
    return keys


def _reachable(first: int, fits: list[Fit], capsules: list[NDArray[np.float64]]) -> list[int]:
    """Frames to which a line from `first` leaves every frame between nearly as good as its own fit."""
    return [
        last
        for last in range(first + 1, min(first + _LONGEST_GAP, len(fits) - 1) + 1)
        if all(
            fits[k].error(capsules[first] + (capsules[last] - capsules[first]) * (k - first) / (last - first))
            <= fits[k].error(capsules[k]) + _ON_THE_LINE
            for k in range(first + 1, last)
        )
    ]


def main(folder: str, character: str, scale: str) -> None:
    """Print the table of a character's poses."""
    print(f"# Bodies of {character}: capsules by action state and frames since its start, units at facing +1.")
    print("# source: fitted to the silhouettes of meleelight (MIT) by envs.sim.fidelity.measure_shape")
    print(
        "action,frame,"
        + ",".join(f"{key}_{part}" for part in range(HURT_PARTS) for key in ("x0", "y0", "x1", "y1", "r"))
    )
    drawn = {path.stem: path for path in Path(folder).glob("*.js")}
    for name, action in STATES.items():
        if name not in drawn:
            continue
        frames = [outlines for outlines in read_silhouettes(drawn[name], float(scale)) if outlines]
        for frame, capsules in fit_animation(frames).items():
            print(f"{action},{frame}," + ",".join(f"{value:g}" for value in capsules))


if __name__ == "__main__":
    main(*sys.argv[1:])
