"""Fills in parts: each trade in one lot, small ones wait, too many lots become one."""

from decimal import Decimal

import pytest

from oco.models import Lot, LotTrade, OcoGroup
from oco.policies import policy_for
from tests.oco.support import check_converged, resting

D = Decimal


@pytest.fixture
def order(desk, world):
    """A buy of 10 SOL that fills as the story says."""
    desk.sync_ok()
    return world.buy("SOL_USD", "10", world.price("SOL_USD") * D("0.999") // D("0.01") * D("0.01"))


def stops(world):
    return sorted(leg.quantity for leg in resting(world) if leg.order_type == "STOP_LOSS")


def test_what_executed_is_protected_while_the_order_goes_on(desk, world, order):
    world.fill(order, "4")
    desk.sync_ok()
    assert OcoGroup.objects.get().state == "ACTIVE"
    world.fill(order, "6")
    desk.sync_ok()
    assert Lot.objects.count() == 2
    assert sum(stops(world)) <= world.balance("SOL")
    check_converged(world)


def test_fills_between_two_cycles_are_one_lot(desk, world, order):
    for quantity in ("1", "2", "3"):
        world.fill(order, quantity)
    desk.sync_ok()
    assert (Lot.objects.count(), LotTrade.objects.count()) == (1, 3)


def test_what_is_too_small_waits_and_joins_the_next_trades(desk, world, order):
    world.fill(order, "0.001")
    desk.sync_ok()
    assert Lot.objects.count() == 0
    world.fill(order, "1")
    desk.sync_ok()
    assert LotTrade.objects.filter(lot=Lot.objects.get()).count() == 2
    check_converged(world)


def test_an_entry_that_is_cancelled_after_a_part_keeps_its_protection(desk, world, order):
    world.fill(order, "4")
    world.cancel(order)
    desk.sync_ok()
    check_converged(world)
    desk.sync_ok()
    assert OcoGroup.objects.get().state == "ACTIVE"


def test_a_sixth_lot_of_one_entry_becomes_one_with_the_five(desk, world, order):
    for _ in range(5):
        world.fill(order, "1")
        desk.sync_ok()
    assert len(stops(world)) == 5
    world.fill(order, "1")
    desk.sync_ok()
    (stop,) = stops(world)
    open_lot = Lot.objects.get(closed_at=None)
    assert stop == open_lot.bought - open_lot.dust
    assert open_lot.trades.count() == 6
    assert set(OcoGroup.objects.exclude(lot=open_lot).values_list("state", flat=True)) == {"RELEASED"}
    check_converged(world)


def test_a_hundred_and_twenty_slow_fills_never_need_more_than_five_groups(desk, world):
    desk.sync_ok()
    order = world.buy("SOL_USD", "12", world.price("SOL_USD") * D("0.999") // D("0.01") * D("0.01"))
    for _ in range(24):
        for _ in range(5):
            world.fill(order, "0.1")
        desk.sync_ok()
        assert len(stops(world)) <= 5
    check_converged(world)
    assert LotTrade.objects.count() == 120


def test_an_entry_below_the_policys_minimum_waits_and_is_shown(desk, world, order):
    policy = policy_for("SOL_USD")
    policy.minimum_value_usd = D(200)
    policy.save()
    world.fill(order, "1")
    desk.sync_ok()
    assert Lot.objects.count() == 0
    world.fill(order, "5")
    desk.sync_ok()
    assert OcoGroup.objects.get().quantity >= D("5.9")
    check_converged(world)
