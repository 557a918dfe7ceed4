"""Scripted players: repeatable, and able to do what their grade promises."""

from __future__ import annotations

import numpy as np
import pytest

from envs.backend import Matchup
from envs.controller import decode
from envs.frame import LEADER, empty_frames
from envs.game import Stage
from envs.observation import observe
from envs.sim.batch import SimBackend
from envs.sim.compile import CHARACTERS, STAGES
from envs.sim.layout import GAME
from envs.stage_outlines import stage_outlines
from exphil_league.evaluation.matches import columns_needed, pair_jobs, play_matches
from exphil_league.evaluation.score import Score, score_of
from policies.agent import SeatView
from policies.scripted import GRADES, SCRIPTED, UnknownScriptedPlayer, make_scripted, scripted_digest

_FALLING, _FLYING, _DOWN_AIR_LANDING, _STANDING = 29, 88, 74, 14
_STOCK = [Matchup(stage=stage, stocks=1, time_limit_s=60.0) for stage in ("FINAL_DESTINATION", "BATTLEFIELD")]


def score(first: str, second: str, games: int, seed: int) -> Score:
    backend = SimBackend(min(games, 64))
    agents = {name: make_scripted(name, columns_needed(backend.num_games), seed) for name in (first, second)}
    played = []
    jobs = pair_jobs((first, second), ("", ""), _STOCK, games, seed)
    play_matches(
        backend, jobs, lambda name, digest: agents[name], on_game=lambda job, result, _: played.append((job, result))
    )
    return score_of(first, played)


def crafted(columns: int, me: dict, foe: dict) -> SeatView:
    """The same frame for `columns` columns in seat 0: two fighters on Final Destination."""
    frames = empty_frames(columns)
    frames["stage"] = Stage.FINAL_DESTINATION
    for seat, fields in enumerate((me, foe)):
        player = frames["players"][:, seat, LEADER]
        player["character"], player["stocks"], player["facing"] = 1, 4, 1 - 2 * seat
        for name in ("x", "y", "percent", "state_age", "hitlag", "misc_timer", "speed_air_x", "speed_y"):
            player[name] = 0.0
        player["action"], player["airborne"], player["jumps_left"], player["hurtbox"] = _STANDING, 0, 2, 0
        player["controller"] = np.zeros((), player["controller"].dtype)
        for name, value in fields.items():
            player[name] = value
    seen = observe(frames)
    return SeatView(frames, np.zeros(columns, np.int64), seen.floats[:, 0], seen.ids[:, 0])


def pressed(name: str, view: SeatView, seed: int = 0) -> np.ndarray:
    """Controllers [n] that `name` presses on the first frame of fresh columns."""
    columns = np.arange(len(view.seats))
    agent = make_scripted(name, len(columns), seed)
    agent.reset(columns)
    return decode(agent.act(view, columns))


def attacks(name: str, foe_action: int) -> float:
    """Share of columns that attack at once a foe 8 units ahead in this action state."""
    view = crafted(400, {}, {"x": 8.0, "action": foe_action, "state_age": 3.0})
    pads = pressed(name, view)
    return float(((pads["buttons"] & 0x0300) != 0).mean() + (np.hypot(pads["c_x"], pads["c_y"]) > 0).mean())


@pytest.mark.parametrize("name", [*GRADES, "random"])
def test_a_seed_is_a_game(name: str) -> None:
    def inputs(seed: int) -> np.ndarray:
        backend = SimBackend(1)
        agents = {"me": make_scripted(name, 2, seed), "foe": make_scripted("walker", 2, 1)}
        games = []
        play_matches(
            *(backend, pair_jobs(("me", "foe"), ("", ""), _STOCK, 1, 1), lambda player, digest: agents[player]),
            on_game=lambda job, result, frames: games.append(frames),
            record=lambda job: True,
        )
        return games[0]["players"]["controller"][:, :, LEADER]

    assert np.array_equal(inputs(4), inputs(4))
    first, other = inputs(4), inputs(5)
    assert len(first) != len(other) or not np.array_equal(first, other)


def test_columns_do_not_touch_each_other() -> None:
    """A column plays the same whether it is asked alone or among others."""
    view = crafted(8, {}, {"x": 30.0})
    columns = np.arange(8)
    together, alone = make_scripted("fighter", 8, 3), make_scripted("fighter", 8, 3)
    together.reset(columns)
    alone.reset(columns)
    for _ in range(40):
        wanted = together.act(view, columns)[5:6]
        got = alone.act(SeatView(*(part[5:6] for part in view)), columns[5:6])
        assert np.array_equal(wanted, got)


@pytest.mark.parametrize("character", CHARACTERS)
def test_the_fighter_comes_back_from_off_the_stage(character: str) -> None:
    """Beyond the ledge of any stage with its double jump left, most live for ten seconds; who never tries dies."""
    assert survivors("fighter", character) >= 0.8
    assert survivors("idle", character) == 0.0


def survivors(name: str, character: str, games: int = 90) -> float:
    backend = SimBackend(games)
    rows = [Matchup((character, "FOX"), STAGES[n % len(STAGES)], stocks=1).row() for n in range(games)]
    backend.reset(np.ones(games, np.bool_), np.stack(rows), np.arange(games, dtype=np.uint64))
    state = np.frombuffer(backend.save(), GAME, games).copy()
    random = np.random.default_rng(2)
    side = random.choice([-1.0, 1.0], games)
    me = state["fighters"][:, 0]
    ledges = np.array([stage_outlines()[int(row["stage"])].edge_x for row in rows])
    me["x"], me["y"] = side * (ledges + random.uniform(15, 50, games)), random.uniform(-20, 40, games)
    me["action"], me["airborne"], me["jumps_left"], me["facing"] = _FALLING, 1, 1, -side
    frames = backend.restore(state.tobytes() + backend.save()[state.nbytes :])
    agents = (make_scripted(name, games, 7), make_scripted("idle", games, 7))
    columns = np.arange(games)
    for agent in agents:
        agent.reset(columns)
    for _ in range(600):
        seen = observe(frames)
        parts = [
            agent.act(SeatView(frames, np.full(games, seat), seen.floats[:, seat], seen.ids[:, seat]), columns)
            for seat, agent in enumerate(agents)
        ]
        frames = backend.step(decode(np.stack(parts, axis=1)))
    return float((frames["players"]["stocks"][:, 0, LEADER] > 0).mean())


def test_the_fighter_turns_a_launch_towards_survival() -> None:
    """Sent flat to the right, it holds up; sent straight up at the left, it holds sideways. Attackers do not."""
    flat = crafted(200, {"action": _FLYING, "airborne": 1, "y": 20.0, "hitlag": 6.0, "speed_x_attack": 4.0}, {})
    flat.frames["players"]["speed_y_attack"][:, 0, LEADER] = 0.4
    pads = pressed("fighter", flat)
    assert (pads["stick_y"] > 0.8).mean() > 0.75
    up = crafted(
        200, {"action": _FLYING, "airborne": 1, "x": -40.0, "y": 20.0, "hitlag": 6.0, "speed_y_attack": 5.0}, {}
    )
    up.frames["players"]["speed_x_attack"][:, 0, LEADER] = -0.5
    assert (np.abs(pressed("fighter", up)["stick_x"]) > 0.8).mean() > 0.75
    assert not np.any(pressed("attacker", flat)["stick_y"])


def test_the_fighter_punishes_a_landing() -> None:
    assert attacks("fighter", _DOWN_AIR_LANDING) > 0.5
    assert attacks("fighter", _DOWN_AIR_LANDING) > 1.5 * attacks("fighter", _STANDING)
    assert attacks("walker", _DOWN_AIR_LANDING) < 0.1


def test_each_grade_beats_the_one_below_quickly() -> None:
    """The short form of the slow test: 32 games a pair."""
    for first, second in (("walker", "random"), ("attacker", "walker"), ("fighter", "attacker")):
        assert score(first, second, 32, seed=21).low > 0.55, (first, second)


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second"), [("walker", "random"), ("attacker", "walker"), ("fighter", "attacker")])
def test_each_grade_beats_the_one_below(first: str, second: str) -> None:
    """At least 200 games, seats balanced, both stages: the lower 95 % bound is above 0.65."""
    for seed in (1, 2):
        found = score(first, second, 240, seed)
        assert found.low > 0.65, found


def test_names_and_digests() -> None:
    for name in SCRIPTED:
        assert make_scripted(name, 2, 0).digest == scripted_digest(name)
    with pytest.raises(UnknownScriptedPlayer, match="did you mean fighter"):
        make_scripted("figther", 2, 0)
