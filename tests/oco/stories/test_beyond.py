"""The market is beyond the stop already (rule 9)."""

from decimal import Decimal

import pytest

from oco.policies import policy_for
from tests.oco.support import group, ours, resting, stop_of

pytestmark = pytest.mark.any_database

D = Decimal


def test_soon_after_the_entry_the_lot_is_sold(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", -7)
    desk.sync_ok()
    assert (group().state, world.balance("BTC")) == ("CLOSED_BY_EXIT", 0)
    assert [order.order_type for order in ours(world)] == ["MARKET"]


def test_only_if_two_looks_agree_with_the_published_mark(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.tick(30)
    world.move("BTC_USD", -7)
    desk.sync(15)
    assert (group().state, ours(world)) == ("PENDING", [])
    desk.sync()
    assert group().state == "CLOSED_BY_EXIT"


def test_not_if_the_policy_says_alert(desk, world):
    policy = policy_for("BTC_USD")
    policy.on_breach = "ALERT"
    policy.save()
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", -7)
    desk.sync_ok()
    assert (group().state, ours(world)) == ("STOP_FAILED", [])
    world.move("BTC_USD", 7)
    desk.sync(90)
    assert group().state == "ACTIVE"


def test_nothing_is_dumped_after_a_long_downtime(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", -7)
    desk.sync(3600)
    assert (group().state, ours(world)) == ("STOP_FAILED", [])
    assert group().reason_code == "STOP_CROSSED_TOO_LONG"


def test_a_target_that_is_passed_becomes_the_first_price_above(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", 12)
    desk.sync_ok()
    (target,) = [order for order in resting(world) if order.order_type == "LIMIT"]
    mark = world.price("BTC_USD")
    assert mark * D("1.005") <= target.limit_price < mark * D("1.0051")
    assert group().state == "ACTIVE"


def test_a_stop_too_near_for_a_pair_goes_alone_and_does_not_move(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", "-4.8")
    desk.sync_ok()
    assert resting(world) == [stop_of(world)]
    assert stop_of(world).ref_price == group().stop_price
