"""A member of a population as a trial of Tune: LeaguePPO with the numbers that the last round gave it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from exphil_league.observe.metric_names import POPULATION
from exphil_league.rl.algorithm import COUNTERS, LeaguePPO, LeaguePPOConfig
from exphil_league.tuning import MEMBER

CONFIGS: Final = "configs"
VALUES: Final = "values"


class MemberTrial(LeaguePPO):
    """Its config is {"member": name, "configs": {name: LeaguePPOConfig}, "values": {player: {name: number}}}."""

    def __init__(self, config: Mapping[str, Any], env: Any = None, **kwargs: Any) -> None:
        self._values: Mapping[str, Mapping[str, float]] = config[VALUES]
        super().__init__(_own(config), env, **kwargs)

    @classmethod
    def default_resource_request(cls, config: Any) -> Any:
        return super().default_resource_request(_member(config).to_dict())

    def setup(self, config: Any) -> None:
        """Go on from the newest resume point, whatever Tune knows of it after a kill."""
        super().setup(config)
        self._goes_on = self.go_on()
        self._counted = {name: getattr(self, name) for name in COUNTERS}

    def load_checkpoint(self, checkpoint_dir: Any) -> None:
        """`setup` has gone on already; Tune's own counts, which may be of another moment, are put right."""
        if not self._goes_on:
            super().load_checkpoint(checkpoint_dir)
        for name, value in self._counted.items():
            setattr(self, name, value)

    def step(self) -> dict[str, Any]:
        """One iteration; the result says which numbers it was trained with."""
        numbers = {p: {name.replace(".", "_"): value for name, value in of.items()} for p, of in self._values.items()}
        return {**super().step(), POPULATION: numbers}

    def save_checkpoint(self, checkpoint_dir: str) -> None:
        """As LeaguePPO, and written before Tune hears of it: the trial may go on in another process at once."""
        super().save_checkpoint(checkpoint_dir)
        if self._points is not None:
            self._points.wait()


def _member(config: Mapping[str, Any]) -> LeaguePPOConfig:
    found: LeaguePPOConfig = config[CONFIGS][config[MEMBER]]
    return found


def _own(config: Mapping[str, Any]) -> LeaguePPOConfig:
    """The member's config with its numbers."""
    own: Any = _member(config).copy(copy_frozen=False)
    setup = own.league_setup
    own.league_setup = replace(setup, ppo=setup.ppo.with_numbers(config[VALUES]))
    found: LeaguePPOConfig = own
    return found
