"""Charts of a population: how fit its members' players were, and the numbers that they were trained with."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Round = Mapping[str, Any]


def population_curves(rounds: Sequence[Round]) -> list[dict[str, Any]]:
    """Charts as `report_curves.curves` makes them, of the rounds in RUN/population.json; a line a member.

    A number's line has a point after each round: what the member trains with from there on.
    """
    return [*_fitness(rounds), *_numbers(rounds)] if rounds else []


def _fitness(rounds: Sequence[Round]) -> Iterator[dict[str, Any]]:
    for player in dict.fromkeys(player for found in rounds for player in found["fitness"]):
        lines: dict[str, list[list[float]]] = {}
        for found in rounds:
            for member, measured in found["fitness"].get(player, {}).items():
                lines.setdefault(member, []).append([_frames(found, member), measured["value"]])
        text = "main players: Elo in the round's games; exploiters: win rate against all members' main players"
        yield _chart(f"Population: fitness of {player}", "", text, lines)


def _numbers(rounds: Sequence[Round]) -> Iterator[dict[str, Any]]:
    first: Mapping[str, Mapping[str, float]] = next(iter(rounds[0]["values"].values()))
    for player, numbers in first.items():
        for name in numbers:
            lines = {
                member: [[_frames(found, member), found["values"][member][player][name]] for found in rounds]
                for member in rounds[0]["values"]
            }
            yield _chart(f"Population: {name} of {player}", "", "after each round", lines)


def _frames(found: Round, member: str) -> float:
    return float(sum(found["env_frames"].get(member, {}).values()))


def _chart(title: str, unit: str, text: str, lines: Mapping[str, list[list[float]]]) -> dict[str, Any]:
    series = [{"label": label, "points": points} for label, points in lines.items()]
    return {"title": title, "unit": unit, "help": text, "series": series}
