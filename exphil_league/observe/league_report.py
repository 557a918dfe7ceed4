"""The league's word in every training result, and the rating rounds that feed it: a callback of RLlib's algorithm."""

from __future__ import annotations

from typing import Any

from ray.rllib.callbacks.callbacks import RLlibCallback

from exphil_league.evaluation.rounds import Rounds, RoundSettings
from exphil_league.observe.metric_names import league_metrics


class LeagueReport(RLlibCallback):
    """Adds `league/...` to each result. Give RLlib `partial(LeagueReport, settings)` as its callbacks class."""

    def __init__(self, settings: RoundSettings) -> None:
        super().__init__()
        self._settings = settings
        self._rounds = Rounds(settings)
        self._league: Any = None

    def on_train_result(self, *, algorithm: Any, result: dict[str, Any], **kwargs: Any) -> None:
        """Start a rating round if one is due, then report the ladder as it is."""
        if self._league is None:
            self._league = self._settings.open_league()
        self._rounds.after_update(result["training_iteration"])
        result["league"] = league_metrics(self._league.ladder(), self._league.payoff())
