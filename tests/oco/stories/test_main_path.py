"""From an executed buy to both legs read back, and how each of them ends."""

from decimal import Decimal

from exchange.models import ExchangeOrder
from oco.models import Lot, OcoGroup
from tests.oco.support import (
    check_converged,
    created,
    group,
    ours,
    resting,
    states,
    stop_of,
    target_of,
)

D = Decimal


def test_a_buy_is_protected_in_the_same_cycle(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    run = desk.sync_ok()
    assert (run.groups_created, group().state) == (1, "ACTIVE")
    price = world.price("BTC_USD")
    assert stop_of(world).quantity == target_of(world).quantity == D("0.01")
    assert price * D("0.95") <= stop_of(world).ref_price < price * D("0.9501")
    assert price * D("1.10") <= target_of(world).limit_price < price * D("1.1001")
    check_converged(world)


def test_it_takes_one_look_at_the_market_one_create_and_one_read_back(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    more = ["public/get-valuations", "private/advanced/create-oco", "private/advanced/get-open-orders"]
    histories = ["private/get-order-history", "private/advanced/get-order-history"]
    assert (desk.requested[-5:], len(desk.requested)) == ([*more, *histories], 10)


def test_several_groups_are_read_back_by_one_request(desk, world):
    desk.sync_ok()
    for name in ("BTC_USD", "ETH_USD", "SOL_USD"):
        world.buy(name, "1" if name != "BTC_USD" else "0.01")
    desk.sync_ok()
    assert created(desk.requested) == 3
    assert desk.requested.count("private/advanced/get-open-orders") == 2
    check_converged(world)


def test_a_quiet_group_costs_no_request(desk, world, held):
    desk.sync_ok()
    before = list(desk.requested)
    assert created(before) == 0
    assert len(before) == 7
    assert states() == ["PENDING", "ACTIVE"]


def test_the_fee_in_the_coin_is_not_sold(desk, world):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    lot = Lot.objects.get()
    assert lot.bought < D("0.01")
    assert lot.dust > 0
    assert stop_of(world).quantity == lot.bought - lot.dust
    assert stop_of(world).quantity <= world.balance("BTC")


def test_our_orders_are_known_as_ours(desk, world, held):
    rows = ExchangeOrder.objects.filter(origin="OURS")
    assert {(row.order_role, row.oco_group_id) for row in rows} == {
        ("STOP_LOSS", group().pk),
        ("TAKE_PROFIT", group().pk),
    }


def test_the_stop_sells_the_lot(desk, world, held):
    world.move("BTC_USD", -6)
    run = desk.sync_ok()
    assert (run.groups_closed, group().state) == (1, "CLOSED_BY_STOP")
    assert (world.balance("BTC"), resting(world)) == (0, [])
    assert Lot.objects.get().closed_at is not None


def test_the_target_sells_the_lot(desk, world, held):
    world.move("BTC_USD", 11)
    desk.sync_ok()
    assert (group().state, resting(world)) == ("CLOSED_BY_TARGET", [])


def test_nothing_happens_after_the_end(desk, world, held):
    world.move("BTC_USD", -6)
    desk.sync_ok()
    before = len(ours(world))
    desk.sync_ok()
    assert (len(ours(world)), OcoGroup.objects.count()) == (before, 1)


def test_a_buy_for_an_amount_of_money_is_an_entry_although_it_ends_cancelled(desk, world):
    desk.sync_ok()
    world.send_manually(
        "private/create-order", instrument_name="BTC_USD", side="BUY", type="MARKET", notional="500"
    )
    desk.sync_ok()
    assert group().state == "ACTIVE"
    check_converged(world)


def test_what_was_held_before_the_first_read_is_never_touched(desk, world):
    world.deposit("ETH", 5)
    world.buy("BTC_USD", "0.01")
    for _ in range(3):
        desk.sync_ok()
    assert (OcoGroup.objects.count(), ours(world)) == (0, [])


def test_an_order_that_straddles_the_first_read_is_split(desk, world):
    order = world.buy("BTC_USD", "0.02", world.price("BTC_USD") - 100)
    world.fill(order, "0.012")
    world.tick(5)
    desk.sync_ok()
    world.fill(order, "0.008")
    desk.sync_ok()
    assert stop_of(world).quantity <= D("0.008")
    check_converged(world)


def test_dollars_that_buy_dollars_are_no_entry(desk, world):
    desk.sync_ok()
    world.buy("USDT_USD", "100")
    desk.sync_ok()
    assert OcoGroup.objects.count() == 0


def test_a_coin_bought_with_a_coin_is_protected_on_that_pair(desk, world):
    world.deposit("BTC", "1")
    desk.sync_ok()
    world.buy("ETH_BTC", "1")
    desk.sync_ok()
    assert (group().instrument_name, group().state) == ("ETH_BTC", "ACTIVE")
