"""An agent: anything that plays seats of games, a network or a script, behind one face.

Runner, evaluation and play hold agents and never ask what is inside. An agent keeps its memory (recurrent
state, actions under way, script state) for `capacity` columns; a column is one seat of one game. A call names
the columns it is about, so that opponents can be regrouped while games go on.
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from policies.spec import ActionTiming, PolicySpec


class SeatView(NamedTuple):
    """What n columns see on this frame."""

    frames: NDArray[np.void]  # [n] FRAME
    seats: NDArray[np.int64]  # [n] seat (0 or 1) of the column in its game
    floats: NDArray[np.float32]  # [n, F] that seat's observation
    ids: NDArray[np.int32]  # [n, K]


class Agent(Protocol):
    """Plays up to `capacity` columns."""

    name: str
    digest: str
    """Content digest of a network's checkpoint, or `scripted:NAME@VERSION`."""
    capacity: int

    def reset(self, columns: NDArray[np.int64]) -> None:
        """A new game begins in these columns: forget everything about them."""
        ...

    def act(self, view: SeatView, columns: NDArray[np.int64]) -> NDArray[np.uint8]:
        """Action parts [n, 6] to be pressed on this frame by these columns [n] (delay already applied)."""
        ...


@runtime_checkable
class Resumable(Protocol):
    """An agent whose games can go on after a resume. Others forget their games, as at a reset."""

    def get_state(self) -> dict[str, Any]:
        """Copy of everything it remembers, random stream included."""
        ...

    def set_state(self, state: dict[str, Any]) -> None:
        """Go on from `get_state` of a like agent."""
        ...


@runtime_checkable
class Delayed(Protocol):
    """An agent that was trained with a delay between its decisions and their effect (0 counts)."""

    timing: ActionTiming

    def expect_console_delay(self, frames: int) -> int:
        """The console holds actions back for so many frames itself: press so much earlier, as far as that goes.

        Returns the frames that the agent itself still waits.
        """
        ...

    def press_at_once(self, delay_frames: int) -> None:
        """Return decisions as they are made: whoever asks holds each of them for `delay_frames`."""
        ...


@runtime_checkable
class Confident(Protocol):
    """An agent that knows how likely its choices were."""

    confidence: NDArray[np.float32]
    """[capacity] probability of each column's last decision, by the agent's own distribution; NaN before the first."""


@runtime_checkable
class Joining(Protocol):
    """A network that can act in one forward with others; see `policies.parties`."""

    joins: PolicySpec | None
    """With all others of this spec. None: not as it is played now."""


class Handling(NamedTuple):
    """How a network is played, where that may differ from how it was trained."""

    greedy: bool = False
    """Take the likeliest action instead of drawing one."""
    action_repeat: int | None = None
    """Game frames between two decisions; None: as trained."""


AS_TRAINED: Final = Handling()
