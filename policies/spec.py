"""What a policy is, apart from its weights: everything two parties must agree on to run it."""

from __future__ import annotations

from typing import Any, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, SerializerFunctionWrapHandler, model_serializer, model_validator

from envs.controller import PART_SIZES
from envs.observation import FLOATS, IDS, OBSERVATION_VERSION


class CoreSpec(BaseModel):
    """The temporal core: a name registered in `policies.cores` and its size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("gru", description="a core registered in policies.cores: mlp, gru")
    width: int = Field(128, ge=8, le=4096, description="hidden units D of the encoder and the core")
    layers: int = Field(1, ge=1, le=16, description="core layers")


class ActionTiming(BaseModel):
    """When a policy decides and when its actions apply."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    delay_frames: int = Field(0, ge=0, le=36, description="an action applies this many frames after its observation")
    min_delay_frames: int | None = Field(
        None, ge=0, le=36, description="each game draws its delay evenly from this to delay_frames; null: delay_frames"
    )
    action_repeat: int = Field(
        1, ge=1, le=16, description="game frames between two decisions; an action is held for so many"
    )

    @property
    def least_delay_frames(self) -> int:
        """The shortest delay that a game may have."""
        return self.delay_frames if self.min_delay_frames is None else self.min_delay_frames

    @property
    def delay_varies(self) -> bool:
        """Whether games differ in their delay."""
        return self.least_delay_frames < self.delay_frames

    @model_validator(mode="after")
    def _least_is_not_above(self) -> Self:
        if self.least_delay_frames > self.delay_frames:
            raise ValueError(
                f"min_delay_frames ({self.min_delay_frames}) must not be above delay_frames ({self.delay_frames})"
            )
        return self


class PolicySpec(ActionTiming):
    """Frozen description of a policy; stored in every checkpoint and agent file, part of its digest."""

    observation_version: int = OBSERVATION_VERSION
    observation_floats: int = FLOATS
    observation_ids: int = IDS
    part_sizes: tuple[int, ...] = PART_SIZES
    core: CoreSpec = CoreSpec()
    embedding_width: int = Field(16, ge=2, le=256, description="width of each learned embedding")
    head_width: int = Field(64, ge=8, le=1024, description="residual width of the autoregressive controller head")
    characters: tuple[str, ...] = Field(("FOX",), description="characters the policy was trained to play")
    format: Literal["exphil-league-policy-1"] = "exphil-league-policy-1"

    def repeating(self, action_repeat: int | None) -> Self:
        """This, deciding every so many frames; None: as it is."""
        return self if action_repeat is None else self.model_copy(update={"action_repeat": action_repeat})

    @model_serializer(mode="wrap")
    def _dump(self, dump: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Fields younger than the format are left out at their defaults: older checkpoints keep their digests."""
        kept: dict[str, Any] = dump(self)
        for name in ("min_delay_frames", "action_repeat"):
            if kept[name] == type(self).model_fields[name].default:
                del kept[name]
        return kept


_AGREED: Final = {
    "observation_version": OBSERVATION_VERSION,
    "observation_floats": FLOATS,
    "observation_ids": IDS,
    "part_sizes": PART_SIZES,
}
"""What the observation and the controller codec of this installation fix."""


def disagreements(spec: PolicySpec) -> list[str]:
    """What keeps this installation from running `spec`, one plain sentence each; empty when nothing does."""
    return [
        f"{key} is {getattr(spec, key)} there and {here} in this installation"
        for key, here in _AGREED.items()
        if getattr(spec, key) != here
    ]
