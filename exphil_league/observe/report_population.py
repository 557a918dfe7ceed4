"""Charts of a population: how fit its members' players were, and the numbers that they were trained with."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

Round = Mapping[str, Any]


def population_curves(rounds: Sequence[Round], mains: Collection[str]) -> list[dict[str, Any]]:
    """Charts as `report_curves.curves` makes them, of the rounds in RUN/population.json; a line a member.

    `mains`: names of main players, whose fitness is in Elo. A number's line has a point after each round: what the
    member trains with from there on.
    """
    return [*_fitness(rounds, mains), *_numbers(rounds)] if rounds else []


def _fitness(rounds: Sequence[Round], mains: Collection[str]) -> Iterator[dict[str, Any]]:
    for player in dict.fromkeys(player for found in rounds for player in found["fitness"]):
        lines: dict[str, list[list[float]]] = {}
        for found in rounds:
            for member, measured in found["fitness"].get(player, {}).items():
                lines.setdefault(member, []).append([_frames(found, member), measured["value"]])
        unit, text = ("Elo", "one fit a round") if player in mains else ("share", "won against all main players")
        yield _chart(f"Population: fitness of {player}", unit, f"{text}; {_exchanges(rounds, player)}", lines)


def _exchanges(rounds: Sequence[Round], player: str) -> str:
    """Who went on from whom, in words."""
    moved = [
        f"{exploit['receiver']} from {exploit['donor']} in round {found['round']}"
        for found in rounds
        for exploit in found["exploits"]
        if exploit["player"] == player
    ]
    return f"went on: {', '.join(moved)}" if moved else "nobody went on from another"


def _numbers(rounds: Sequence[Round]) -> Iterator[dict[str, Any]]:
    first: Mapping[str, Mapping[str, float]] = next(iter(rounds[0]["values"].values()))
    for player, numbers in first.items():
        for name in numbers:
            lines = {
                member: [[_frames(found, member), found["values"][member][player][name]] for found in rounds]
                for member in rounds[0]["values"]
            }
            yield _chart(f"Population: {name} of {player}", "value", "from each round on", lines)


def _frames(found: Round, member: str) -> float:
    return float(sum(found["env_frames"].get(member, {}).values()))


def _chart(title: str, unit: str, text: str, lines: Mapping[str, list[list[float]]]) -> dict[str, Any]:
    series = [{"label": label, "points": points} for label, points in lines.items()]
    return {"title": title, "unit": unit, "help": text, "series": series}
