"""Recipe section of the promotion gate: who judges a candidate, and how far it may stray from the warm start."""

from __future__ import annotations

from pydantic import Field

from exphil_league.config.base import Section


class PromotionConfig(Section):
    """What a main player must show before it becomes the top agent of its run, declared before it is trained."""

    opponents: tuple[str, ...] = Field(
        ("walker", "attacker", "fighter"),
        description="held-back opponents that training never met: scripted players, agent files, or styles",
    )
    games: int = Field(100, ge=2, description="games against each opponent, of the candidate and of the warm start")
    games_vs_warm_start: int = Field(200, ge=2, description="games against the warm start, and of its two copies")
    control_z: float = Field(
        3.3,
        gt=0,
        description="deviations from 1/2 at which two copies of the warm start are not equals; 3.3: 1 in 1000",
    )
    max_action_distance: float = Field(
        0.75, gt=0, le=1, description="Jensen-Shannon distance of action states from the warm start's, at most"
    )
    max_aerials_ratio: float = Field(
        5.0, ge=1, description="aerials a minute: at most so many times more or fewer than the warm start's"
    )
    max_length_ratio: float = Field(2.0, ge=1, description="median game length, in that of the warm start's, at most")
    max_timer_excess: float = Field(
        0.05, ge=0, le=1, description="share of games that the timer ends, above the warm start's, at most"
    )
    max_ledge_excess: float = Field(
        0.1, ge=0, le=1, description="share of frames at a ledge, above the warm start's, at most"
    )
