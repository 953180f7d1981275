"""Prices of stop and target, and what can be placed where the market is (rule 3)."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oco.engine.pricing import (
    ExitSide,
    Grid,
    PlacementKind,
    is_near_target,
    is_placeable,
    leaves_unplaced,
    max_buy_price_of,
    placement,
    round_to_lot_size,
    stop_of,
    target_of,
    unit_cost_of,
)

D = Decimal
GRID = Grid(price_tick=D("0.01"), quantity_tick=D("0.001"))
TICKS = [D("10000"), D("1"), D("0.5"), D("0.01"), D("0.00000001")]


def feasible(mark, *, quantity="1", stop="95", target="110", grid=GRID, distance="0.5"):
    return placement(
        quantity=D(quantity),
        stop=D(stop),
        target=None if target is None else D(target),
        mark=D(str(mark)),
        distance_pct=D(distance),
        grid=grid,
    )


def test_the_stop_is_rounded_towards_the_entry():
    assert stop_of(D("100.01"), D(5), D("0.01")) == D("95.01")


def test_the_target_is_rounded_away_from_it():
    assert target_of(D("100.001"), D(10), D("0.01")) == D("110.01")


@given(
    average=st.decimals("0.00000100", "100000", places=8),
    percent=st.decimals("0.1", "50", places=2),
    tick=st.sampled_from(TICKS),
)
def test_never_more_risk_and_never_less_gain_than_asked(average, percent, tick):
    stop, target = stop_of(average, percent, tick), target_of(average, percent, tick)
    assert 0 <= stop - average * (1 - percent / 100) < tick
    assert 0 <= target - average * (1 + percent / 100) < tick
    assert stop % tick == target % tick == 0


@given(quantity=st.decimals("0", "1000000", places=10), tick=st.sampled_from(TICKS))
def test_never_more_than_there_is(quantity, tick):
    whole = round_to_lot_size(quantity, tick)
    assert 0 <= quantity - whole < tick
    assert whole % tick == 0


def test_a_lot_of_ten_thousand_shib():
    grid = Grid(price_tick=D("0.000000001"), quantity_tick=D("10000"))
    assert round_to_lot_size(D("129999.5"), grid.quantity_tick) == D("120000")
    assert is_placeable(D("120000"), D("0.0000100"), grid)
    assert not is_placeable(D("90000"), D("0.0000100"), grid)


def test_the_minimum_is_counted_at_the_stop_in_dollars():
    assert is_placeable(D("0.011"), D("95"), GRID)
    assert not is_placeable(D("0.010"), D("95"), GRID)
    in_bitcoin = Grid(price_tick=D("0.00001"), quantity_tick=D("0.001"), quote_usd=D(60_000))
    assert is_placeable(D("0.001"), D("0.03"), in_bitcoin)


def test_an_unknown_dollar_price_is_left_to_the_exchange():
    assert is_placeable(
        D("0.001"), D("0.03"), Grid(price_tick=D(1), quantity_tick=D("0.001"), quote_usd=None)
    )


def test_with_room_on_both_sides_it_is_a_pair():
    found = feasible(100)
    assert (found.kind, found.stop, found.target, found.reason) == (PlacementKind.PAIR, D(95), D(110), None)


@pytest.mark.parametrize("mark", ["109.6", "110", "130"])
def test_a_target_that_is_passed_becomes_the_first_price_above(mark):
    found = feasible(mark)
    assert found.kind is PlacementKind.PAIR
    assert 0 <= found.target - D(mark) * D("1.005") < GRID.price_tick
    assert found.reason.code == "TARGET_PASSED"


def test_a_stop_too_near_for_a_pair_goes_alone_where_it_is():
    found = feasible("95.4")
    assert (found.kind, found.stop, found.target) == (PlacementKind.STOP, D(95), None)


@pytest.mark.parametrize("mark", ["95", "94.99", "10"])
def test_a_stop_that_mark_has_reached_cannot_be_placed(mark):
    assert feasible(mark).kind is PlacementKind.STOP_CROSSED


def test_a_target_above_ten_times_mark_cannot_rest():
    assert feasible(100, target="1000.01").kind is PlacementKind.STOP


def test_without_a_target_it_is_a_stop_alone():
    assert feasible(100, target=None).kind is PlacementKind.STOP


def test_too_little_is_nothing():
    assert feasible(100, quantity="0.0109").kind is PlacementKind.NONE


def test_near_is_within_the_distance():
    assert is_near_target(D("109.45"), D(110), D("0.5"))
    assert not is_near_target(D("109.44"), D(110), D("0.5"))


@given(mark=st.decimals("1", "500", places=2), quantity=st.decimals("0", "3", places=4))
def test_whatever_is_placed_is_on_the_right_side_of_mark(mark, quantity):
    found = feasible(mark, quantity=quantity)
    if found.kind in (PlacementKind.PAIR, PlacementKind.STOP):
        assert found.stop == 95 < mark
        assert found.quantity <= quantity
    if found.kind is PlacementKind.PAIR:
        assert found.target >= max(D(110), mark * D("1.005"))
        assert found.stop <= mark * D("0.995")


# buying back


def test_the_stop_of_a_buy_back_lies_above_and_its_target_below():
    assert stop_of(D("100.01"), D(5), D("0.1"), ExitSide.BUY) == D("105.0")
    assert target_of(D("100.01"), D(10), D("0.1"), ExitSide.BUY) == D("90.0")


def test_what_a_coin_costs_at_worst_is_the_ceiling_and_the_fee():
    assert max_buy_price_of(D("105"), D("0.1")) == D("108.1")
    assert unit_cost_of(D("105"), D("0.1")) == D("108.1") * D("1.005")


@pytest.mark.parametrize(
    ("mark", "kind", "target"),
    [
        ("100", PlacementKind.PAIR, "90.00"),
        ("90.2", PlacementKind.PAIR, "89.74"),
        ("85", PlacementKind.PAIR, "84.57"),
        ("104.8", PlacementKind.STOP, None),
        ("105", PlacementKind.STOP_CROSSED, None),
        ("106", PlacementKind.STOP_CROSSED, None),
        ("4", PlacementKind.PAIR, "3.98"),
    ],
)
def test_where_the_market_leaves_room_to_buy(mark, kind, target):
    found = placement(
        quantity=D(1),
        stop=D(105),
        target=D(90),
        mark=D(mark),
        distance_pct=D("0.5"),
        grid=GRID,
        exit_side=ExitSide.BUY,
    )
    assert (found.kind, found.target) == (kind, target and D(target))


def test_a_target_far_below_or_worth_too_little_is_left_out():
    asked = {"quantity": D("0.02"), "stop": D(105), "mark": D(100), "distance_pct": D("0.5")}
    small = placement(target=D(40), grid=GRID, exit_side=ExitSide.BUY, **asked)
    assert (small.kind, small.reason.code) == (PlacementKind.STOP, "BELOW_MINIMUM")
    far = placement(target=D(9), grid=GRID, exit_side=ExitSide.BUY, **(asked | {"quantity": D(1)}))
    assert (far.kind, far.reason.code) == (PlacementKind.STOP, "TARGET_TOO_LOW")


@pytest.mark.parametrize(
    ("quantity", "lot", "tick", "is_left"),
    [
        ("1999", "1", "0.0001", False),
        ("1999", "100000", "0.0001", True),
        ("1999", "1000", "0.0001", True),
        ("1005", "1000", "0.0001", False),
        ("10", "1", "0.0001", False),
        ("19", "10", "0.0001", True),
        ("1999", "1", "0.01", True),
    ],
)
def test_what_the_grid_alone_keeps_from_being_placed(quantity, lot, tick, is_left):
    grid = Grid(price_tick=D(tick), quantity_tick=D(lot), quote_usd=D(1))
    assert leaves_unplaced(D(quantity), D("0.1"), grid) is is_left
