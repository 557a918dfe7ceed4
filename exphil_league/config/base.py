"""The base of every recipe section: frozen, and unknown keys are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Section(BaseModel):
    """A frozen part of a recipe. Every field has a description with its unit."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)
