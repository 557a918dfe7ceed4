"""Write games as .slp files that peppi, libmelee and the Slippi viewers read.

Viewers draw such a game. Dolphin does not replay a simulated one: it plays the inputs again, and the simulator is
not exact. A file appears under its name only when it is whole; until then it is `NAME.part`, in the state of a
file that Slippi is still writing (raw length 0), which `repair` finalises after a crash.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from envs.backend import EndedBy
from envs.frame import FIRST_FRAME, FRAME, LEADER, SEATS, words_i32
from envs.game import EXTERNAL_ID
from envs.slippi.encode import end_event, payloads_event, start_event
from envs.slippi.events import Version
from envs.slippi.frame_bytes import frame_events
from envs.slippi.game import EndMethod, GameMeta, SeatMeta
from envs.slippi.ubjson import LENGTH_AT, RAW_START, Value, head, tail

WRITTEN_VERSION: Final[Version] = (3, 18, 0)
"""The first version that has every field of the frame record, stage events included."""

_FRAMES_PER_WRITE: Final = 60
"""Frames held back and encoded together, for speed; a killed process loses at most these."""
_END_METHOD: Final = {
    EndedBy.STOCKS: EndMethod.GAME,
    EndedBy.TIMER: EndMethod.TIME,
    EndedBy.FAULT: EndMethod.NO_CONTEST,
}


def meta_from_frame(frame: NDArray[np.void], names: tuple[str, str] = ("", "")) -> GameMeta:
    """Header of a game from its first frame (FRAME, no shape): stage, ports, characters, stocks, timer and seed.

    The timer is in whole seconds, as in the game.
    """
    left, players = int(frame["frames_left"]), frame["players"][:, LEADER]
    seats = [
        SeatMeta(
            port=int(frame["ports"][seat]),
            external_id=EXTERNAL_ID[int(players[seat]["character"])],
            character=int(players[seat]["character"]),
            stocks=int(players[seat]["stocks"]),
            name=names[seat],
        )
        for seat in range(SEATS)
    ]
    return GameMeta(
        version=WRITTEN_VERSION,
        stage=int(frame["stage"]),
        seats=(seats[0], seats[1]),
        random_seed=int(frame["seed"]),
        timer_s=max(0, -(-(left + max(int(frame["frame"]), 0)) // 60)),
        has_timer=left >= 0,
        scene=(2, 2),
    )


def ended(meta: GameMeta, result: NDArray[np.void]) -> GameMeta:
    """`meta` with how the game ended, from a backend's RESULT record."""
    won = int(result["winner"])
    seats = [replace(seat, placement=-1 if won < 0 else int(i != won)) for i, seat in enumerate(meta.seats)]
    return replace(meta, seats=(seats[0], seats[1]), end_method=_END_METHOD.get(EndedBy(int(result["ended_by"]))))


def write_game(path: str | Path, frames: NDArray[np.void], meta: GameMeta | None = None) -> None:
    """Write a whole game: frames [T] FRAME with consecutive ids; header from the first frame unless given.

    Reading it back gives the same words, where `meta.version` has the field. Raises ValueError for frames that do
    not follow each other, OSError when the disk refuses; then no file appears.
    """
    with SlpWriter(path, meta or meta_from_frame(frames[0])) as writer:
        writer.write(frames)


@contextmanager
def _named(path: Path) -> Iterator[None]:
    """Say which file it was: a refused write, unlike a refused opening, names none."""
    try:
        yield
    except OSError as error:
        error.filename = error.filename or str(path)
        raise


class SlpWriter:
    """Writes one game as it is played; a context manager.

    Leaving the context finishes the file, with the end that `finish` was told or the header's. After an exception
    what was written is kept as a game without an end, unless nothing was or the disk refused.
    """

    def __init__(self, path: str | Path, meta: GameMeta) -> None:
        self.path = Path(path)
        self.part = self.path.with_name(self.path.name + ".part")
        self.meta = meta
        self._last: NDArray[np.void] | None = None
        self._written: NDArray[np.void] | None = None
        self._pending: list[NDArray[np.int32]] = []  # words, which copy many times faster than records
        self._frames_of_character: list[dict[int, int]] = [{} for _ in range(SEATS)]
        self._file = self.part.open("wb")
        self._file.write(head(0) + payloads_event(meta.version) + start_event(meta))

    def write(self, frames: NDArray[np.void]) -> None:
        """Append one frame (FRAME, no shape) or several [T]. Raises ValueError if ids do not follow on."""
        frames = np.atleast_1d(frames)
        if not len(frames):
            return
        self._check_ids(frames["frame"])
        self._pending.append(words_i32(np.ascontiguousarray(frames)).copy())
        self._last = self._pending[-1].view(FRAME)[-1, 0]
        if sum(map(len, self._pending)) >= _FRAMES_PER_WRITE:
            self._flush()

    def _flush(self) -> None:
        if not self._pending:
            return
        frames = np.concatenate(self._pending).view(FRAME)[:, 0]
        with _named(self.path):
            self._file.write(frame_events(frames, self._written, self.meta.version))
        self._written = frames[-1].copy()
        self._pending.clear()
        for seat, counts in enumerate(self._frames_of_character):
            ids, times = np.unique(frames["players"][:, seat, LEADER]["character"], return_counts=True)
            for character, count in zip(ids.tolist(), times.tolist(), strict=True):
                counts[character] = counts.get(character, 0) + count

    def finish(self, result: NDArray[np.void] | None = None) -> None:
        """End the game, by a backend's RESULT record if given, and put the file in its place.

        Raises OSError when the disk refuses; then nothing is left of the file.
        """
        if self._file.closed:
            return
        if result is not None:
            self.meta = ended(self.meta, result)
        try:
            with _named(self.path):
                self._finalise()
        except OSError:
            self._discard()
            raise

    def _finalise(self) -> None:
        self._flush()
        self._file.write(end_event(self.meta))
        raw_length = self._file.tell() - RAW_START
        self._file.write(tail(self._metadata()))
        self._file.seek(LENGTH_AT)
        self._file.write(raw_length.to_bytes(4, "big"))
        self._file.close()
        os.replace(self.part, self.path)

    def _discard(self) -> None:
        with suppress(OSError):  # closing writes what is buffered, and a full disk refuses that too
            self._file.close()
        self.part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if isinstance(error, OSError) or self._last is None:
            self._discard()
            return
        if error is not None:
            self.meta = replace(self.meta, end_method=None)
        self.finish()

    def _check_ids(self, ids: NDArray[np.int32]) -> None:
        expected = int(ids[0] if self._last is None else self._last["frame"] + 1)
        wrong = np.flatnonzero(ids != np.arange(expected, expected + len(ids)))
        if len(wrong):
            raise ValueError(f"{self.path}: frame {ids[wrong[0]]} where frame {expected + int(wrong[0])} should follow")

    def _metadata(self) -> dict[str, Value]:
        metadata: dict[str, Value] = {}
        if self.meta.started_at:
            metadata["startAt"] = self.meta.started_at
        metadata["lastFrame"] = FIRST_FRAME if self._last is None else int(self._last["frame"])
        metadata["players"] = {
            str(seat.port): {
                "names": {"netplay": seat.name, "code": seat.code},
                "characters": {str(k): v for k, v in counts.items()},
            }
            for seat, counts in zip(self.meta.seats, self._frames_of_character, strict=True)
        }
        if self.meta.played_on:
            metadata["playedOn"] = self.meta.played_on
        return metadata
