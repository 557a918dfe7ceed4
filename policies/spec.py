"""What a policy is, apart from its weights: everything two parties must agree on to run it."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from envs.controller import PART_SIZES
from envs.observation import FLOATS, IDS, OBSERVATION_VERSION


class CoreSpec(BaseModel):
    """The temporal core: a name registered in `policies.cores` and its size."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field("gru", description="a core registered in policies.cores: mlp, gru")
    width: int = Field(128, ge=8, le=4096, description="hidden units D of the encoder and the core")
    layers: int = Field(1, ge=1, le=16, description="core layers")


class PolicySpec(BaseModel):
    """Frozen description of a policy; stored in every checkpoint and agent file, part of its digest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    observation_version: int = OBSERVATION_VERSION
    observation_floats: int = FLOATS
    observation_ids: int = IDS
    part_sizes: tuple[int, ...] = PART_SIZES
    core: CoreSpec = CoreSpec()
    embedding_width: int = Field(16, ge=2, le=256, description="width of each learned embedding")
    head_width: int = Field(64, ge=8, le=1024, description="residual width of the autoregressive controller head")
    delay_frames: int = Field(0, ge=0, le=36, description="an action applies this many frames after its observation")
    characters: tuple[str, ...] = Field(("FOX",), description="characters the policy was trained to play")
    format: Literal["exphil-league-policy-1"] = "exphil-league-policy-1"


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
