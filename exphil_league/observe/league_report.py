"""The league's word in every training result, and the rating rounds that feed it: a callback of RLlib's algorithm."""

from __future__ import annotations

import copy
from time import monotonic
from typing import Any, Final

from ray.rllib.callbacks.callbacks import RLlibCallback

from exphil_league.evaluation.rounds import Rounds, RoundSettings

REST: Final = 50
"""Times as long as the league took to answer, before it is asked again: a large one is heard less often, and the
trial never waits for it more than a fiftieth of its time."""


class LeagueReport(RLlibCallback):
    """Adds `league/...` to each result. Give RLlib `partial(LeagueReport, settings)` as its callbacks class."""

    def __init__(self, settings: RoundSettings) -> None:
        super().__init__()
        self._settings = settings
        self._rounds = Rounds(settings)
        self._league: Any = None
        self._metrics: dict[str, Any] = {}
        self._ask_at_s = 0.0

    def on_train_result(self, *, algorithm: Any, result: dict[str, Any], **kwargs: Any) -> None:
        """Start a rating round if one is due, then report the league as it was last heard."""
        if self._league is None:
            self._league = self._settings.open_league()
        self._rounds.after_update(result["training_iteration"])
        if (asked_s := monotonic()) >= self._ask_at_s:
            self._metrics = self._league.metrics()
            self._ask_at_s = monotonic() + REST * (monotonic() - asked_s)
        result["league"] = copy.deepcopy(self._metrics)
