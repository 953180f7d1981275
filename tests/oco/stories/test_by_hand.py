"""What a person does on the exchange meanwhile (rules 2 and 10)."""

from decimal import Decimal

import pytest

from oco.models import Lot, OcoGroup
from oco.policies import policy_for
from oco.services.groups import group_cancel
from portfolio.models import Balance
from tests.oco.support import check_converged, group, ours, resting, stop_of, target_of

D = Decimal


def policy(**changes):
    row = policy_for("BTC_USD")
    for name, value in changes.items():
        setattr(row, name, value)
    row.save()


def test_a_pair_cancelled_by_hand_is_left_alone(desk, world, held):
    world.cancel(target_of(world))
    desk.sync_ok()
    assert (group().state, resting(world)) == ("RELEASED", [])
    desk.sync_ok()
    assert len(ours(world)) == 2


def test_or_placed_again_if_the_policy_says_so(desk, world, held):
    policy(on_hand_cancel="REPLACE")
    world.cancel(target_of(world))
    desk.sync_ok()
    assert (group().state, len(ours(world))) == ("ACTIVE", 4)
    check_converged(world)


def test_a_pair_cancelled_while_mark_went_through_the_stop_is_healed(desk, world, held):
    world.cancel(target_of(world))
    world.move("BTC_USD", -7)
    world.tick(60)
    world.move("BTC_USD", 8)
    desk.sync(30)
    assert group().state == "ACTIVE"
    check_converged(world)


def test_a_stop_cancelled_alone_is_replaced(desk, world, held):
    world.set_behaviour(oco_leg_cancel="one")
    world.cancel(stop_of(world))
    desk.sync_ok()
    assert group().state == "ACTIVE"
    check_converged(world)


def test_a_target_cancelled_alone_comes_back_a_cycle_later(desk, world, held):
    world.set_behaviour(oco_leg_cancel="one")
    world.cancel(target_of(world))
    desk.sync_ok()
    assert resting(world) == [stop_of(world)]
    desk.sync_ok()
    assert len(resting(world)) == 2
    check_converged(world)


def test_coins_withdrawn_behind_our_back_end_the_group(desk, world, held):
    world.withdraw("BTC", "0.01", force=True)
    desk.unchecked()
    assert group().state == "ACTIVE"
    desk.sync()
    assert (group().state, resting(world)) == ("CLOSED_BY_HAND", [])


def test_a_part_withdrawn_shrinks_the_lot_after_two_reads(desk, world, held):
    world.withdraw("BTC", "0.004", force=True)
    desk.unchecked()
    desk.sync()
    assert stop_of(world).quantity == target_of(world).quantity == D("0.006")
    check_converged(world)


def test_coins_of_no_lot_are_taken_first(desk, world):
    world.deposit("BTC", "0.02")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    world.sell("BTC_USD", "0.015")
    for _ in range(3):
        desk.sync_ok()
    assert stop_of(world).quantity == D("0.01")
    assert Lot.objects.get().gone == 0


def test_coins_sold_before_they_were_protected_are_let_go(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.sell("BTC_USD", "0.01")
    desk.sync_ok()
    assert (group().state, ours(world)) == ("PENDING", [])
    desk.sync_ok()
    assert (group().state, ours(world)) == ("CLOSED_BY_HAND", [])


def test_a_lagging_balance_delays_and_never_shrinks(desk, world):
    world.faults.add("stale", "private/user-balance", age_s=5)
    desk.sync_ok()
    world.tick(50)
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync(2)
    assert (group().state, ours(world)) == ("PENDING", [])
    desk.sync()
    assert group().state == "ACTIVE"
    assert Lot.objects.get().gone == 0


def foreign_pair(world, quantity):
    price = world.price("BTC_USD")
    legs = [
        {"type": "LIMIT", "price": str(price * 2), "client_oid": "hand-target"},
        {"type": "STOP_LOSS", "ref_price": str(round(price / 2, 2)), "client_oid": "hand-stop"},
    ]
    common = {"instrument_name": "BTC_USD", "side": "SELL", "quantity": quantity}
    world.send_manually("private/advanced/create-oco", order_list=[{**common, **leg} for leg in legs])


def test_a_foreign_pair_takes_its_coins_first_and_once(desk, world):
    world.deposit("BTC", "0.02")
    foreign_pair(world, "0.02")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    assert group().state == "ACTIVE"
    assert {order.quantity for order in resting(world)} == {D("0.01")}
    assert len([order for order in world.open_orders() if order.client_oid.startswith("hand")]) == 2


def test_coins_behind_a_foreign_order_are_not_ours_to_sell(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    foreign = world.sell("BTC_USD", "0.004", world.price("BTC_USD") * 2)
    desk.sync_ok()
    assert stop_of(world).quantity == D("0.006")
    world.cancel(foreign)
    desk.sync_ok()
    desk.sync_ok()
    assert stop_of(world).quantity == D("0.01")
    check_converged(world)


def test_more_of_the_same_coin_bought_by_hand_is_a_group_of_its_own(desk, world, held):
    world.buy("BTC_USD", "0.02", fee_instrument_name="USD")
    desk.sync_ok()
    assert OcoGroup.objects.filter(state="ACTIVE").count() == 2
    check_converged(world)


@pytest.mark.parametrize("quantity", ["0.01", "0.004"])
def test_an_amended_or_sold_lot_never_sells_more_than_is_held(desk, world, held, quantity):
    world.withdraw("BTC", quantity, force=True)
    world.move("BTC_USD", -6)
    desk.unchecked()
    desk.unchecked()
    assert world.balance("BTC") >= 0


def test_a_pair_cancelled_and_everything_sold_closes_the_group_by_hand(desk, world, held):
    world.cancel(target_of(world))
    world.sell("BTC_USD", "0.01")
    desk.sync_ok()
    assert (group().state, group().reason_code, resting(world)) == ("REPLACING", "BALANCE_SHORT", [])
    desk.sync_ok()
    assert (group().state, Lot.objects.get().gone, len(ours(world))) == ("CLOSED_BY_HAND", D("0.01"), 2)


def test_even_when_the_balance_lags_behind_the_sale(desk, world, held):
    world.faults.add("stale", "private/user-balance", age_s=5)
    desk.sync_ok()
    world.cancel(target_of(world))
    world.tick(50)
    world.sell("BTC_USD", "0.01")
    desk.sync(2)
    assert Balance.objects.get(currency="BTC").quantity == D("0.01")
    assert (group().state, Lot.objects.get().owned) == ("REPLACING", D("0.01"))
    for _ in range(2):
        desk.sync_ok()
    assert (group().state, len(ours(world))) == ("CLOSED_BY_HAND", 2)


def test_after_a_part_was_sold_the_rest_is_released(desk, world, held):
    world.cancel(target_of(world))
    world.sell("BTC_USD", "0.004")
    for _ in range(2):
        desk.sync_ok()
    assert (group().state, Lot.objects.get().owned) == ("RELEASED", D("0.006"))


def test_a_removal_that_was_requested_and_then_everything_sold(desk, world, held):
    group_cancel(group_id=group().pk, requested_by="alice", now=desk.now)
    world.cancel(target_of(world))
    world.sell("BTC_USD", "0.01")
    for _ in range(2):
        desk.sync_ok()
    assert group().state == "CLOSED_BY_HAND"


def test_a_lone_stop_and_everything_sold(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.faults.add("refuse", "private/advanced/create-oco", code=140001)
    desk.sync()
    world.sell("BTC_USD", "0.01")
    for _ in range(3):
        desk.unchecked()
    assert (group().state, resting(world)) == ("CLOSED_BY_HAND", [])
