"""Which games are learnt from: a pure function from a game's summary to the reason against it."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Final

from envs.game import EXTERNAL_ID, LEGAL_STAGES, Character, stage_name
from envs.slippi.game import PlayerKind
from exphil_league.config.replays import ReplaysConfig
from exphil_league.replays.summary import GameSummary, SeatSummary


class Refusal(StrEnum):
    """Why a game that can be read is not used."""

    TEAMS = "teams"
    MODE = "mode"  # neither online nor VS mode
    STAGE = "stage"
    ICE_CLIMBERS = "ice_climbers"  # two fighters on one controller; not supported yet
    CHARACTER = "character"  # not asked for, or none of the 26
    RULES = "rules"
    NO_HUMAN = "no_human"
    TOO_SHORT = "too_short"
    FEW_STOCKS = "few_stocks"
    AWAY = "away"  # nobody holds the controller
    SELF_DESTRUCTS = "self_destructs"
    DUPLICATE = "duplicate"


_VERSUS_SCENES: Final = ((8, None), (2, 2))
"""(major, minor) of Slippi online, any minor, and of VS mode; other majors are training, events, single player."""

Check = Callable[[GameSummary, ReplaysConfig], str | None]


def refusal(game: GameSummary, config: ReplaysConfig) -> tuple[Refusal, str] | None:
    """The first reason against a game, with a detail for people; None for a game to use.

    Does not know of other games: duplicates are found by the scan.
    """
    for reason, check in _CHECKS:
        detail = check(game, config)
        if detail is not None:
            return reason, detail
    return None


def _teams(game: GameSummary, config: ReplaysConfig) -> str | None:
    return "team battle" if game.meta.is_teams else None


def _mode(game: GameSummary, config: ReplaysConfig) -> str | None:
    scene = game.meta.scene
    if scene is None or any(scene[0] == major and minor in (None, scene[1]) for major, minor in _VERSUS_SCENES):
        return None
    return f"scene {scene[0]}.{scene[1]}"


def _stage(game: GameSummary, config: ReplaysConfig) -> str | None:
    if game.meta.stage not in LEGAL_STAGES:
        return f"stage {game.meta.stage} is not legal"
    name = stage_name(game.meta.stage)
    return f"{name} is not asked for" if config.stages and name not in config.stages else None


def _ice_climbers(game: GameSummary, config: ReplaysConfig) -> str | None:
    climbers = (Character.POPO.value, Character.NANA.value)
    return "Ice Climbers" if any(seat.character in climbers for seat in game.meta.seats) else None


def _character(game: GameSummary, config: ReplaysConfig) -> str | None:
    unknown = [seat.character for seat in game.meta.seats if seat.character not in EXTERNAL_ID]
    if unknown:
        return f"character {unknown[0]} is none of the 26"
    names = [Character(seat.character).name for seat in game.meta.seats]
    return " and ".join(names) if config.characters and not set(names) & set(config.characters) else None


def _rules(game: GameSummary, config: ReplaysConfig) -> str | None:
    meta = game.meta
    if not config.tournament_rules:
        return None
    if any(seat.stocks != 4 for seat in meta.seats):
        return f"{'|'.join(str(seat.stocks) for seat in meta.seats)} stocks"
    if not meta.has_timer or meta.timer_s != 480:
        return f"timer {meta.timer_s} s"
    if meta.item_spawn_frequency != -1:
        return "items on"
    if meta.damage_ratio != 1:
        return f"damage ratio {meta.damage_ratio}"
    return "PAL" if meta.is_pal else None


def _no_human(game: GameSummary, config: ReplaysConfig) -> str | None:
    return None if game.meta.human_seats else "no human player"


def _too_short(game: GameSummary, config: ReplaysConfig) -> str | None:
    return f"{game.frames / 60:.0f} s" if game.frames < config.min_length_s * 60 else None


def _few_stocks(game: GameSummary, config: ReplaysConfig) -> str | None:
    lost = sum(seat.stocks_lost for seat in game.seats)
    return f"{lost} stocks lost" if lost < config.min_stocks_lost else None


def _away(game: GameSummary, config: ReplaysConfig) -> str | None:
    for player, seat in zip(game.meta.seats, game.seats, strict=True):
        if player.kind != PlayerKind.HUMAN:
            continue
        if seat.input_share < config.min_input_share:
            return f"port {player.port + 1} changes its input on {seat.input_share:.1%} of frames"
        if seat.longest_idle_frames > config.max_idle_frames:
            return f"port {player.port + 1} rests for {seat.longest_idle_frames} frames"
    return None


def _self_destructs(game: GameSummary, config: ReplaysConfig) -> str | None:
    for player, seat in zip(game.meta.seats, game.seats, strict=True):
        if seat.untouched_deaths > config.max_self_destructs:
            return f"port {player.port + 1} throws {seat.untouched_deaths} stocks away"
        if _chain(seat, config):
            return f"port {player.port + 1} loses a stock right after the last"
    return None


def _chain(seat: SeatSummary, config: ReplaysConfig) -> bool:
    return any(gap <= config.chain_frames and at < config.chain_percent for gap, at in seat.later_deaths)


_CHECKS: Final[tuple[tuple[Refusal, Check], ...]] = (
    (Refusal.TEAMS, _teams),
    (Refusal.MODE, _mode),
    (Refusal.STAGE, _stage),
    (Refusal.ICE_CLIMBERS, _ice_climbers),
    (Refusal.CHARACTER, _character),
    (Refusal.RULES, _rules),
    (Refusal.NO_HUMAN, _no_human),
    (Refusal.TOO_SHORT, _too_short),
    (Refusal.FEW_STOCKS, _few_stocks),
    (Refusal.AWAY, _away),
    (Refusal.SELF_DESTRUCTS, _self_destructs),
)
"""In the order in which they are asked; the first that objects names the reason."""
