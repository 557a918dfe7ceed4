"""How long each agent's decisions wait, the console's part included, and what is to be said about it."""

from __future__ import annotations

from dataclasses import dataclass

from policies.agent import Agent, Delayed
from policies.spec import ActionTiming


@dataclass(frozen=True)
class Delay:
    """Of one agent."""

    total_frames: int
    """From what it saw to its effect, the console's frames included; at most, where the agent's own varies."""
    hold_frames: int
    """Of these the loop holds each decision so long."""
    warning: str | None = None


def arrange_delay(agent: Agent, console_frames: int, wanted_frames: int | None) -> Delay:
    """Settle an agent's delay; it presses at once then, and `hold_frames` are the caller's to wait.

    console_frames: what the game itself holds inputs back. wanted_frames: in all; None: as the agent was trained.
    An agent whose delay varies from game to game keeps drawing it, unless one is wanted.
    """
    timing = agent.timing if isinstance(agent, Delayed) else ActionTiming()
    if isinstance(agent, Delayed) and timing.delay_varies and wanted_frames is None:
        total = console_frames + agent.expect_console_delay(console_frames)
        return Delay(total, 0, _warning(agent, timing, total, console_frames))
    total = max(timing.delay_frames if wanted_frames is None else wanted_frames, console_frames)
    warning = None
    if isinstance(agent, Delayed):
        agent.press_at_once(total)
        warning = _warning(agent, timing, total, console_frames)
    return Delay(total, total - console_frames, warning)


def _warning(agent: Agent, timing: ActionTiming, total: int, console: int) -> str | None:
    least, most = timing.least_delay_frames, timing.delay_frames
    if least <= total <= most:
        return None
    trained = f"{least} to {most}" if timing.delay_varies else f"{most}"
    whose = ", all of them the console's" if total == console else ""
    remedy = (
        f"train with policy.delay_frames of {total} or more" if total > most else f"--delay-frames {least} is its own"
    )
    return (
        f"{agent.name} was trained with a delay of {trained} frames and plays with {total}{whose}: "
        f"expect it to be worse; {remedy}"
    )
