"""A game in a terminal: stage, platforms and fighters as characters, a line for each player."""

from __future__ import annotations

import sys
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from envs.frame import LEADER, SEATS
from envs.stage_outlines import StageOutline, stage_outlines
from exphil_league.observe.watch_names import action_title, character_title

_COLUMNS, _ROWS = 78, 22
_LEFT, _RIGHT, _TOP, _BOTTOM = -130.0, 130.0, 95.0, -45.0  # game units shown
_COLORS: Final = ("\x1b[1;31m", "\x1b[1;34m")
_RESET, _HOME, _CLEAR, _HIDE, _SHOW = "\x1b[0m", "\x1b[H", "\x1b[2J", "\x1b[?25l", "\x1b[?25h"


class TerminalView:
    """Draws frames in place; a context manager that leaves the cursor as it was."""

    def __init__(self, stream: TextIO = sys.stderr) -> None:
        self._stream = stream

    def __enter__(self) -> TerminalView:
        self._stream.write(_CLEAR + _HIDE)
        return self

    def __exit__(self, *error: object) -> None:
        self._stream.write(_SHOW + "\n")
        self._stream.flush()

    def draw(self, frame: NDArray[np.void]) -> None:
        """Show one frame (FRAME, no shape)."""
        self._stream.write(_HOME + picture(frame) + "\n")
        self._stream.flush()


def picture(frame: NDArray[np.void], color: bool = True) -> str:
    """One frame as text: a grid of the stage and the fighters, then a line for each seat."""
    grid = [[" "] * _COLUMNS for _ in range(_ROWS)]
    outline = stage_outlines().get(int(frame["stage"]))
    if outline is not None:
        _draw_stage(grid, outline)
    for seat in range(SEATS):
        _draw_fighter(grid, frame["players"][seat, LEADER], seat, color)
    lines = ["".join(row) for row in grid]
    return "\n".join([*lines, *(_status(frame, seat, color) for seat in range(SEATS))])


def _cell(x: float, y: float) -> tuple[int, int] | None:
    """(row, column) of a point, or None outside the picture."""
    column = int((x - _LEFT) / (_RIGHT - _LEFT) * _COLUMNS)
    row = int((_TOP - y) / (_TOP - _BOTTOM) * _ROWS)
    return (row, column) if 0 <= row < _ROWS and 0 <= column < _COLUMNS else None


def _draw_stage(grid: list[list[str]], outline: StageOutline) -> None:
    floors = [(-outline.edge_x, outline.edge_x, -3.5, "▀"), *((a, b, y - 3.0, "━") for a, b, y in outline.platforms)]
    for left, right, y, mark in floors:
        for x in np.arange(left, right, (_RIGHT - _LEFT) / _COLUMNS / 2):
            cell = _cell(float(x), y)
            if cell is not None:
                grid[cell[0]][cell[1]] = mark


def _draw_fighter(grid: list[list[str]], player: NDArray[np.void], seat: int, color: bool) -> None:
    cell = _cell(float(player["x"]), float(player["y"]) + 3.0)
    if cell is None or player["stocks"] <= 0:
        return
    row, column = cell
    body = "●" if player["hurtbox"] <= 0 else "○"
    ahead = column + (1 if player["facing"] > 0 else -1)
    paint, plain = (_COLORS[seat], _RESET) if color else ("", "")
    grid[row][column] = f"{paint}{body}{plain}"
    if 0 <= ahead < _COLUMNS:
        grid[row][ahead] = f"{paint}{'›' if player['facing'] > 0 else '‹'}{plain}"


def _status(frame: NDArray[np.void], seat: int, color: bool) -> str:
    player = frame["players"][seat, LEADER]
    character = int(player["character"])
    name = character_title(character) if character >= 0 else "nobody"
    action = action_title(int(player["action"]), character) if character >= 0 else ""
    paint, plain = (_COLORS[seat], _RESET) if color else ("", "")
    stocks = "●" * max(int(player["stocks"]), 0)
    percent = float(np.nan_to_num(player["percent"]))
    return f"{paint}P{int(frame['ports'][seat]) + 1}{plain} {name:<18} {percent:5.1f} %  {stocks:<5} {action:<24}"
