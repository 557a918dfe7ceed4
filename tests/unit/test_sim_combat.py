"""Combat of the simulator against figures computed here from the public formulas, through the backend's face."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from envs.frame import empty_frames
from envs.game import Action, Button
from tests.unit.duel import FLOOR, FORWARD_SMASH, JAB, NEUTRAL, SHINE, UP_SMASH, Duel, pad

FOX_WEIGHT = 75.0


def expected_knockback(damage: float, dealt: float, percent: float, growth: float, base: float) -> float:
    """The knockback formula, written out for Fox as the victim."""
    after = math.floor(percent) + dealt
    scaled = (after / 10 + after * damage / 20) * 200 / (FOX_WEIGHT + 100) * 1.4 + 18
    return scaled * growth / 100 + base


def launch_speed(player: np.void) -> float:
    return float(np.hypot(player["speed_x_attack"], player["speed_y_attack"]))


@pytest.mark.parametrize("percent", [0.0, 33.7, 120.0])
def test_up_smash_launches_by_the_formula(percent: float) -> None:
    attacker, victim = Duel(gap=7.0, percent=percent).attack(UP_SMASH)
    strength = expected_knockback(18, 18, percent, 112, 30)
    assert launch_speed(victim) == pytest.approx(0.03 * strength, rel=1e-4)
    assert math.degrees(math.atan2(victim["speed_y_attack"], victim["speed_x_attack"])) == pytest.approx(80, abs=0.01)
    assert victim["hitlag"] == attacker["hitlag"] == 18 // 3 + 3
    assert victim["misc_timer"] == math.floor(0.4 * strength)
    assert victim["percent"] == pytest.approx(percent + 18)
    assert (victim["facing"], victim["airborne"], victim["last_hit_by"]) == (-1.0, 1, 0)
    assert attacker["last_attack"] == 11


def test_a_move_loses_damage_by_its_places_in_the_queue() -> None:
    """.09 for the newest of nine places down to .01 for the oldest, at most .45."""
    duel, dealt = Duel(gap=7.0), []
    for _ in range(11):
        duel.put(1, x=7.0, y=1e-4, percent=0.0, action=Action.STANDING.value, airborne=0, hitlag=0.0, move=-1)
        duel.put(1, kb_x=0.0, kb_y=0.0, vx=0.0, vy=0.0, line=1, hitstun=0.0)
        duel.put(0, x=0.0, y=1e-4, action=Action.STANDING.value, hitlag=0.0, move=-1, ground_v=0.0)
        duel.step()
        dealt.append(float(duel.attack(UP_SMASH)["percent"][1]))
    kept = [1 - sum(0.09 - 0.01 * place for place in range(min(hits, 9))) for hits in range(11)]
    np.testing.assert_allclose(dealt, [18 * share for share in kept], rtol=1e-5)


def air_duel(attack: Action, gap_x: float, gap_y: float = 0.0) -> Duel:
    """Seat 0 high in the air on the first frame of an aerial, seat 1 beside it."""
    duel = Duel()
    moves = {
        Action.NAIR: pad(Button.A),
        Action.DAIR: pad(Button.A, stick_y=-1.0),
        Action.UAIR: pad(Button.A, stick_y=1.0),
    }
    for seat, x, y in ((0, 0.0, 60.0), (1, gap_x, 60.0 + gap_y)):
        duel.put(seat, x=x, y=y, prev_x=x, prev_y=y, airborne=1, action=Action.FALLING.value, vy=0.0, jumps_left=1)
    players = duel.step(moves[attack])
    assert players["action"][0] == attack.value
    return duel


def percents(duel: Duel, frames: int) -> list[float]:
    """Percent of seat 1 after each frame, its launch and hitlag suppressed so that it stays in reach."""
    seen = []
    for _ in range(frames):
        x, y = duel.get(0, "x"), duel.get(0, "y")
        duel.put(1, x=x + 4.0, y=y, prev_x=x, prev_y=y, kb_x=0.0, kb_y=0.0, vy=duel.get(0, "vy"), hitlag=0.0)
        duel.put(0, hitlag=0.0)
        seen.append(float(duel.step()["percent"][1]))
    return seen


@pytest.mark.parametrize(("attack", "hits"), [(Action.NAIR, 1), (Action.UAIR, 2), (Action.DAIR, 7)])
def test_a_hit_group_hits_once_and_a_gap_in_the_move_renews_it(attack: Action, hits: int) -> None:
    seen = percents(air_duel(attack, 4.0), 36)
    assert len(set(seen) - {0.0}) == hits


def launched(stick_x: float, stick_y: float) -> tuple[float, float]:
    """Speed and angle in degrees of an up-smash launch, on the first free frame, with the stick held."""
    held = pad(stick_x=stick_x, stick_y=stick_y)
    duel = Duel(gap=7.0, percent=60.0)
    duel.put(1, y=12.0, prev_y=12.0, airborne=1, action=Action.FALLING.value, vy=0.0)
    victim = duel.attack(UP_SMASH)[1]
    while victim["hitlag"] > 0:
        victim = duel.step(NEUTRAL, held)[1]
    return launch_speed(victim), math.degrees(math.atan2(victim["speed_y_attack"], victim["speed_x_attack"]))


@settings(max_examples=25, deadline=None)
@given(st.floats(-180, 180), st.floats(0.3, 1.0))
def test_di_turns_a_launch_by_the_square_of_its_part_across_and_keeps_its_speed(angle: float, length: float) -> None:
    x, y = length * math.cos(math.radians(angle)), length * math.sin(math.radians(angle))
    x, y = (0.0 if abs(v) < 0.28 else v for v in (x, y))
    speed, turned = launched(x, y)
    straight_speed, straight = launched(0.0, 0.0)
    across = math.cos(math.radians(straight)) * y - math.sin(math.radians(straight)) * x
    assert abs(turned - straight) <= 18.0 + 1e-3
    assert turned - straight == pytest.approx(math.copysign(18 * across**2, across), abs=0.05)
    assert speed == pytest.approx(straight_speed, rel=1e-5)


def test_sdi_and_asdi_shift_a_frozen_victim() -> None:
    duel = Duel(gap=7.0, percent=60.0)
    struck = duel.attack(UP_SMASH)[1]
    shifted = duel.step(NEUTRAL, pad(stick_x=1.0))[1]
    assert shifted["x"] - struck["x"] == pytest.approx(6.0)
    held = duel.step(NEUTRAL, pad(stick_x=1.0))[1]
    assert held["x"] == shifted["x"]
    while held["hitlag"] > 0:
        before, held = held, duel.step(NEUTRAL, pad(stick_x=1.0))[1]
    assert held["x"] - before["x"] == pytest.approx(3.0 + float(held["speed_x_attack"]), abs=1e-4)


def test_a_frozen_victim_that_shifts_itself_down_stays_on_the_floor() -> None:
    duel = Duel(gap=7.0, percent=60.0)
    victim = duel.attack(UP_SMASH)[1]
    frozen_frames = 0
    while victim["hitlag"] > 1:
        duel.put(1, tap_y=0)  # every frame counts as a fresh press
        victim = duel.step(NEUTRAL, pad(stick_y=-1.0))[1]
        assert victim["y"] == pytest.approx(FLOOR, abs=1e-3)
        frozen_frames += 1
    assert frozen_frames > 3


def test_crouching_takes_two_thirds_of_the_knockback_and_hitlag() -> None:
    duel = Duel(gap=7.0, percent=20.0)
    crouch = pad(stick_y=-1.0)
    for _ in range(10):
        duel.step(NEUTRAL, crouch)
    attacker, victim = duel.attack(FORWARD_SMASH, foe=crouch)
    strength = expected_knockback(15, 15, 20.0, 105, 10)
    assert launch_speed(victim) == pytest.approx(0.02 * strength, rel=1e-3)
    assert (attacker["hitlag"], victim["hitlag"]) == (8, math.floor(8 * 2 / 3))


def landing_frames(press_before: int | None) -> tuple[int, int]:
    """Frames of the landing lag of a neutral air, L pressed so many frames before it; and the l_cancel field."""
    duel = Duel(gap=60.0)
    duel.put(0, y=20.0, prev_y=20.0, airborne=1, action=Action.FALLING.value, vy=-1.0)
    probe = Duel(gap=60.0)
    probe.put(0, y=20.0, prev_y=20.0, airborne=1, action=Action.FALLING.value, vy=-1.0)
    touch = next(n for n in range(60) if probe.step(JAB if n == 0 else NEUTRAL)["airborne"][0] == 0)
    for frame in range(touch + 1):
        press = press_before is not None and frame == touch - press_before
        players = duel.step(JAB if frame == 0 else (pad(Button.L) if press else NEUTRAL))
    result, frames = int(players["l_cancel"][0]), 0
    while players["action"][0] == Action.NAIR_LANDING.value:
        frames += 1
        players = duel.step()
    return frames, result


@pytest.mark.parametrize(("press_before", "frames", "result"), [(None, 15, 2), (0, 7, 1), (6, 7, 1), (7, 15, 2)])
def test_l_cancel_halves_landing_lag_inside_its_window(press_before: int | None, frames: int, result: int) -> None:
    assert landing_frames(press_before) == (frames, result)


def falling_victim() -> Duel:
    """Seat 1 in a launch, about to reach the ground in some frames; seat 0 far away."""
    duel = Duel(gap=-50.0)
    duel.put(1, x=0.0, prev_x=0.0, y=40.0, prev_y=40.0, airborne=1, action=Action.DAMAGE_FLY_NEUTRAL.value, age=1.0)
    duel.put(1, hitstun=80.0, vy=-1.0, rate=1.0, move=-1)
    return duel


def frames_to_ground() -> int:
    """Frames that the falling victim takes to the floor, 0 if the next one lands."""
    duel = falling_victim()
    return next(n for n in range(60) if duel.step()["airborne"][1] == 0)


@pytest.mark.parametrize(
    ("presses", "stick", "landed"),
    [
        ((0,), 0.0, Action.NEUTRAL_TECH),
        ((12,), 0.0, Action.NEUTRAL_TECH),
        ((0,), -1.0, Action.FORWARD_TECH),
        ((0,), 1.0, Action.BACKWARD_TECH),
        ((), 0.0, Action.TECH_MISS_UP),
        ((14, 2), 0.0, Action.TECH_MISS_UP),
    ],
)
def test_tech_by_window_and_stick(presses: tuple[int, ...], stick: float, landed: Action) -> None:
    duel, landing = falling_victim(), frames_to_ground()
    for frame in range(landing + 1):
        buttons = (Button.L,) if landing - frame in presses else ()
        players = duel.step(NEUTRAL, pad(*buttons, stick_x=stick))
    assert Action(int(players["action"][1])) == landed


def test_the_tech_window_closes_and_a_second_press_stays_locked() -> None:
    duel = falling_victim()
    duel.put(1, y=100.0, prev_y=100.0)
    frame = 0
    players = duel.step(NEUTRAL, pad(Button.L))
    while players["airborne"][1]:
        frame += 1
        players = duel.step(NEUTRAL, pad(Button.L) if frame == 22 else NEUTRAL)
    assert 22 < frame < 40
    assert int(players["action"][1]) in (Action.TECH_MISS_UP.value, Action.TECH_MISS_DOWN.value)


def test_a_knocked_down_fighter_gets_up_by_stick_button_or_alone() -> None:
    inputs = {
        Action.GROUND_GETUP: pad(stick_y=1.0),
        Action.GROUND_ATTACK_UP: pad(Button.A),
        Action.GROUND_ROLL_FORWARD_UP: pad(stick_x=-1.0),
        Action.GROUND_ROLL_BACKWARD_UP: pad(stick_x=1.0),
    }
    for wanted, controller in inputs.items():
        duel = falling_victim()
        seen = {int(duel.step()["action"][1]) for _ in range(frames_to_ground() + 30)}
        assert {Action.TECH_MISS_UP.value, Action.LYING_GROUND_UP.value} <= seen
        assert Action(int(duel.step(NEUTRAL, controller)["action"][1])) == wanted


def test_shield_takes_damage_stun_and_push() -> None:
    shield = pad(Button.L)
    duel = Duel(gap=8.0)
    for _ in range(12):
        duel.step(NEUTRAL, shield)
    before = float(duel.get(1, "shield"))
    for frame in range(30):
        players = duel.step(UP_SMASH if frame == 0 else NEUTRAL, shield)
        if players["action"][1] == Action.SHIELD_STUN.value:
            break
        before = float(players["shield"][1])
    assert players["percent"][1] == 0.0
    assert before - float(players["shield"][1]) == pytest.approx(0.28 + 0.7 * 18, abs=0.01)
    assert players["hitlag"].tolist() == [9.0, 9.0]
    assert players["speed_ground_x"][1] == pytest.approx(0.24 + 0.054 * 18, abs=1e-4)
    stun = 0
    while players["action"][1] == Action.SHIELD_STUN.value:
        players = duel.step(NEUTRAL, shield)
        stun += int(players["hitlag"][1] == 0 and players["action"][1] == Action.SHIELD_STUN.value)
    assert stun == math.floor((18 * 0.45 + 2) * 200 / 201)


def test_reflector_has_set_knockback_and_is_jump_cancelled() -> None:
    speeds = [launch_speed(Duel(gap=6.0, percent=percent).attack(SHINE)[1]) for percent in (0.0, 150.0)]
    set_knockback = (1 + 0.05 * 10 * 80) * 200 / 175 * 1.4 + 18
    np.testing.assert_allclose(speeds, 0.03 * set_knockback, rtol=1e-4)
    duel = Duel(gap=60.0)
    actions = [int(duel.step(SHINE if n < 4 else pad(Button.X))["action"][0]) for n in range(8)]
    assert actions[0] == 360
    assert Action.KNEE_BEND.value in actions
    assert Action.JUMPING_FORWARD.value in actions


def test_illusion_travels_and_hits_what_it_passes() -> None:
    duel = Duel(gap=30.0)
    start = duel.get(0, "x")
    players = duel.attack(pad(Button.B, stick_x=1.0))
    assert players["percent"][1] == pytest.approx(7.0)
    for _ in range(40):
        players = duel.step()
    assert float(players["x"][0]) - start == pytest.approx(
        3 * 18.72 + sum(2.2 - 0.1 * n for n in range(1, 22)), abs=1.0
    )


@pytest.mark.parametrize(
    ("stick", "direction"), [((0.0, 0.0), (0.0, 1.0)), ((0.7, 0.7), (0.7071, 0.7071)), ((-1.0, 0.0), (-1.0, 0.0))]
)
def test_firefox_flies_where_the_stick_points(stick: tuple[float, float], direction: tuple[float, float]) -> None:
    duel = Duel(gap=-60.0)
    duel.put(0, y=40.0, prev_y=40.0, airborne=1, action=Action.FALLING.value, vy=0.0)
    players = duel.step(pad(Button.B, stick_y=1.0))
    assert players["action"][0] == 354
    while players["action"][0] == 354:
        players = duel.step(pad(stick_x=stick[0], stick_y=stick[1]))
    assert players["action"][0] == 356
    speed = [players["speed_air_x"][0], players["speed_y"][0]]
    np.testing.assert_allclose(speed, np.multiply(3.8, direction), atol=2e-3)


def blaster(duel: Duel, foe: np.void = NEUTRAL) -> float:
    """Fire one shot from seat 0; the highest percent of either fighter over the next frames."""
    percent = 0.0
    for frame in range(60):
        players = duel.step(pad(Button.B) if frame == 0 else NEUTRAL, foe)
        percent = max(percent, float(players["percent"].max()))
    return percent


def test_a_blaster_shot_adds_percent_and_a_reflector_throws_it_back() -> None:
    duel = Duel(gap=50.0)
    assert blaster(duel) == pytest.approx(3.0)
    assert duel.get(1, "action") == Action.STANDING.value
    duel = Duel(gap=50.0)
    assert blaster(duel, SHINE) == pytest.approx(4.5)
    assert duel.get(0, "percent") == pytest.approx(4.5)


def test_a_blaster_shot_is_published_while_it_flies_and_absent_after() -> None:
    duel, seen = Duel(gap=60.0), []
    for frame in range(60):
        duel.step(pad(Button.B) if frame == 0 else NEUTRAL)
        shots = duel.items[duel.items["kind"] >= 0]
        seen += [(float(shot["x"]), float(shot["speed_x"]), int(shot["owner"])) for shot in shots]
    places = np.array([x for x, _, _ in seen])
    np.testing.assert_allclose(np.diff(places), 7.0, rtol=1e-5)
    assert {(speed, owner) for _, speed, owner in seen} == {(7.0, 0)}
    assert duel.items.tobytes() == empty_frames(1)["items"][0].tobytes()


def test_a_held_smash_charges() -> None:
    full = Duel(gap=7.0).attack(*[UP_SMASH] * 70, limit=90)["percent"][1]
    assert float(full) == pytest.approx(18 * 1.3671, rel=1e-4)


def test_a_strong_hit_at_high_percent_takes_a_stock() -> None:
    duel = Duel(gap=7.0, percent=180.0)
    duel.attack(UP_SMASH)
    stocks = [int(duel.step()["stocks"][1]) for _ in range(120)]
    assert stocks[0] == 4
    assert stocks[-1] == 3


def test_pressing_a_goes_from_jab_to_jab_to_rapid_jabs_and_each_round_hits_again() -> None:
    duel = Duel(gap=60.0)
    presses = [duel.step(JAB if n % 2 == 0 else NEUTRAL)["action"][0] for n in range(80)]
    order = [int(a) for n, a in enumerate(presses) if n == 0 or a != presses[n - 1]]
    assert order[:4] == [44, 45, 47, 48]
    released = [int(duel.step()["action"][0]) for _ in range(60)]
    assert released[-1] == Action.STANDING.value
    assert 49 in released


def test_two_attacks_on_one_frame_trade() -> None:
    """In the air, where attacks do not clank."""
    duel = Duel(gap=7.0)
    for seat in range(2):
        duel.put(seat, y=40.0, prev_y=40.0, airborne=1, action=Action.FALLING.value)
    for frame in range(8):
        players = duel.step(*([JAB, JAB] if frame == 0 else [NEUTRAL, NEUTRAL]))
    assert players["percent"].tolist() == [12.0, 12.0]
    assert players["speed_x_attack"][0] < 0 < players["speed_x_attack"][1]
