"""What was sold is bought back, where the policy says so (rule 4): the pair mirrored, and never for more money."""

from decimal import Decimal

import pytest

from exchange.models import Trade
from oco.models import Lot, OcoGroup
from oco.policies import policy_for
from oco.services.groups import group_cancel, group_reprice, reprice_lease
from oco.services.validation import NotPossible
from tests.oco.support import check_converged, created, group, ours, resting, stop_of, target_of

D = Decimal


@pytest.fixture
def wanted(db):
    """The policy for sales is on: the stop 5 % above, the target 10 % below."""
    return allow(stop_pct=D(5), target_pct=D(10))


def allow(**changes):
    policy = policy_for("", "SELL")
    for name, value in {"enabled": True, **changes}.items():
        setattr(policy, name, value)
    policy.save()
    return policy


@pytest.fixture
def sold(desk, world, wanted):
    """The desk knows the account; then 0.1 bitcoin that it has no business with are sold for dollars."""
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    order = world.sell("BTC_USD", "0.1", fee_instrument_name="USD")
    desk.sync_ok()
    return order


def test_nothing_is_bought_back_unless_the_policy_says_so(desk, world):
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    world.sell("BTC_USD", "0.1")
    desk.sync_ok()
    assert (created(desk.requested), OcoGroup.objects.count()) == (0, 0)
    assert not Trade.objects.filter(is_new=True).exists()


def test_what_was_sold_before_the_policy_was_on_stays_sold(desk, world):
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    world.sell("BTC_USD", "0.1")
    desk.sync_ok()
    allow()
    desk.sync_ok()
    assert OcoGroup.objects.count() == 0


def test_a_sale_gets_a_pair_that_buys_in_the_same_cycle(desk, world, sold):
    price = sold.cumulative_value / sold.cumulative_quantity
    assert group().state == "ACTIVE"
    assert {order.side for order in resting(world)} == {"BUY"}
    assert price * D("1.0499") < stop_of(world).ref_price <= price * D("1.05")
    assert price * D("0.8999") < target_of(world).limit_price <= price * D("0.9")
    check_converged(world)


def test_it_costs_three_requests_and_then_none(desk, world, sold):
    more = ["public/get-valuations", "private/advanced/create-oco", "private/advanced/get-open-orders"]
    assert desk.requested[-3:] == more
    desk.sync_ok()
    assert (created(desk.requested), len(desk.requested)) == (0, 7)


def test_never_for_more_money_than_the_sale_brought(desk, world, sold):
    trade, stop = Trade.objects.get(), stop_of(world)
    brought = trade.quantity * trade.price + trade.fee
    assert (trade.fee_currency, trade.fee < 0) == ("USD", True)
    assert stop.order_type == "STOP_LIMIT"
    assert stop.limit_price * stop.quantity * D("1.005") <= brought
    assert stop.quantity > D("0.09")


def test_at_the_stop_it_is_bought_back_and_protected_as_any_buy(desk, world, sold):
    world.set_price("BTC_USD", stop_of(world).ref_price * D("1.001"))
    desk.sync_ok()
    bought = OcoGroup.objects.get(lot__side="SELL")
    assert (bought.state, bought.reason_code) == ("CLOSED_BY_STOP", "CLOSED_BY_STOP")
    guard = OcoGroup.objects.get(lot__side="BUY")
    assert (guard.state, guard.lot.entry_order_id) == (
        "ACTIVE",
        bought.legs.get(order_role="STOP_LOSS").order_id,
    )
    assert {order.side for order in resting(world)} == {"SELL"}
    check_converged(world)


def test_at_the_target_too(desk, world, sold):
    world.set_price("BTC_USD", target_of(world).limit_price * D("0.999"))
    desk.sync_ok()
    assert OcoGroup.objects.get(lot__side="SELL").state == "CLOSED_BY_TARGET"
    assert OcoGroup.objects.get(lot__side="BUY").state == "ACTIVE"
    check_converged(world)


def test_what_our_own_stop_sells_is_not_bought_back(desk, world, wanted):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    world.set_price("BTC_USD", stop_of(world).ref_price * D("0.999"))
    desk.sync_ok()
    desk.sync_ok()
    assert [one.state for one in OcoGroup.objects.all()] == ["CLOSED_BY_STOP"]
    assert not Trade.objects.filter(is_new=True).exists()


def test_nor_what_was_sold_for_another_coin(desk, world, wanted):
    world.deposit("ETH", "2")
    desk.sync_ok()
    world.sell("ETH_BTC", "1")
    desk.sync_ok()
    assert not Lot.objects.filter(side="SELL").exists()


def test_money_that_is_spent_otherwise_is_not_spent_twice(desk, world, sold):
    world.withdraw("USD", world.balance("USD") - sold.cumulative_value / 2, force=True)
    desk.unchecked(60)
    desk.unchecked(60)
    desk.sync_ok()
    lot, stop = Lot.objects.get(), stop_of(world)
    assert 0 < lot.owned < lot.bought
    assert stop.quantity * stop.limit_price <= world.balance("USD")
    check_converged(world)


def test_when_it_is_all_gone_it_ends(desk, world, sold):
    world.withdraw("USD", world.balance("USD"), force=True)
    for _ in range(2):
        desk.unchecked(60)
    desk.sync_ok()
    assert (group().state, resting(world)) == ("CLOSED_BY_HAND", [])
    assert group().reason_code == "CLOSED_OUTSIDE"


def test_a_bid_of_somebody_else_comes_first(desk, world, sold):
    most = (world.balance("USD") - sold.cumulative_value / 2) / D("20000")
    world.cancel(stop_of(world))
    world.buy("BTC_USD", f"{most:.5f}", "20000")
    policy = policy_for("", "SELL")
    policy.on_hand_cancel = "REPLACE"
    policy.save()
    for _ in range(3):
        desk.sync_ok()
    assert 0 < stop_of(world).quantity < Lot.objects.get().owned


def test_a_target_that_fills_in_part_leaves_the_rest_with_a_stop(desk, world, sold):
    world.fill(target_of(world), "0.03")
    desk.sync_ok()
    back = OcoGroup.objects.get(lot__side="SELL")
    assert back.state == "ACTIVE"
    stops = [order for order in resting(world) if order.order_type == "STOP_LIMIT"]
    assert [order.quantity for order in stops] == [back.lot.bought - D("0.03")]
    check_converged(world)


def test_beyond_the_stop_it_is_bought_at_once_but_not_above_the_ceiling(desk, world, wanted):
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    order = world.sell("BTC_USD", "0.1", fee_instrument_name="USD")
    world.move("BTC_USD", 6)
    desk.sync_ok()
    (bought,) = [each for each in ours(world) if each.side == "BUY"]
    assert (bought.order_type, bought.time_in_force, bought.status) == (
        "LIMIT",
        "IMMEDIATE_OR_CANCEL",
        "FILLED",
    )
    assert bought.cumulative_value < order.cumulative_value
    assert OcoGroup.objects.get(lot__side="SELL").state == "CLOSED_BY_EXIT"


def test_far_above_it_nothing_is_bought_and_a_person_is_told(desk, world, wanted):
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    world.sell("BTC_USD", "0.1")
    world.move("BTC_USD", 30)
    desk.sync(60)
    for _ in range(17):
        desk.sync(60)
    assert (group().state, world.balance("BTC")) == ("STOP_FAILED", 0)
    assert group().reason_code == "STOP_CROSSED_TOO_LONG"
    world.move("BTC_USD", -25)
    desk.sync(60)
    assert group().state == "ACTIVE"


def test_a_person_cannot_give_it_other_prices(desk, world, sold):
    OcoGroup.objects.update(state="STOP_FAILED")
    requested = {
        "stop_price": D("99999"),
        "take_profit_price": None,
        "requested_by": "alice",
        "now": desk.now,
    }
    with reprice_lease() as lease, pytest.raises(NotPossible):
        group_reprice(lease=lease, group_id=group().pk, **requested)


def test_but_can_take_it_away(desk, world, sold):
    group_cancel(group_id=group().pk, requested_by="alice", now=desk.now)
    desk.sync_ok()
    assert (group().state, resting(world)) == ("RELEASED", [])


def test_many_parts_of_one_sale_are_merged(desk, world, wanted):
    world.deposit("BTC", "1")
    desk.sync_ok()
    order = world.sell("BTC_USD", "0.7", f"{world.price('BTC_USD') * D('1.02'):.2f}")
    for _ in range(7):
        world.fill(order, "0.1")
        desk.sync_ok()
    desk.sync_ok()
    lots = Lot.objects.filter(closed_at=None)
    assert 1 <= lots.count() <= 5
    assert sum(lot.owned for lot in lots) > D("0.62")
    assert sum(lot.owned * lot.unit_cost for lot in lots) <= order.cumulative_value
    check_converged(world)
