"""A game's frames as they come, in one growing array: records are copied as words, not field by field."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from envs.frame import FRAME, WORDS, word_offset

_FIRST_FRAMES: Final = 1024
_FRAME_ID: Final = word_offset(FRAME, "frame")


class Tape:
    """Frames of one game; appending costs a copy of the frame's words."""

    def __init__(self) -> None:
        self._words = np.empty((_FIRST_FRAMES, WORDS), np.int32)
        self._length = 0

    def append(self, words: NDArray[np.int32]) -> None:
        """One frame as words [W] (`envs.frame.words_i32`); of one shown again while its game waits, the last."""
        if self._length and words[_FRAME_ID] == self._words[self._length - 1, _FRAME_ID]:
            self._length -= 1
        if self._length == len(self._words):
            self._words = np.concatenate([self._words, np.empty_like(self._words)])
        self._words[self._length] = words
        self._length += 1

    def frames(self) -> NDArray[np.void]:
        """All frames so far, [T] FRAME."""
        return self._words[: self._length].copy().view(FRAME).reshape(-1)
