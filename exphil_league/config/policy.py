"""Recipe section of the policy network."""

from __future__ import annotations

from pydantic import Field

from exphil_league.config.base import Section
from policies.spec import ActionTiming, CoreSpec, PolicySpec


class PolicyConfig(Section, ActionTiming):
    """Size of the network; what a checkpoint additionally fixes is filled in by `spec`."""

    core: CoreSpec = CoreSpec()
    embedding_width: int = Field(16, ge=2, le=256, description="width of each learned embedding")
    head_width: int = Field(64, ge=8, le=1024, description="residual width of the controller head")

    def spec(self, characters: tuple[str, ...]) -> PolicySpec:
        """The full description of a policy that plays `characters`."""
        return PolicySpec(
            core=self.core,
            embedding_width=self.embedding_width,
            head_width=self.head_width,
            delay_frames=self.delay_frames,
            min_delay_frames=self.min_delay_frames,
            action_repeat=self.action_repeat,
            characters=characters,
        )
