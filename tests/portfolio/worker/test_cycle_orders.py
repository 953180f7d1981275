"""What happens to orders on the exchange is found here a cycle later, whatever the lists show."""

from decimal import Decimal

import pytest

from exchange.models import ExchangeOrder, SyncCursor, Trade
from exchange.selectors import orders_executed, orders_open
from tests.support import price_at_ratio, stored_order, table_rows

D = Decimal


@pytest.fixture(autouse=True)
def coins(world):
    world.deposit("BTC", 1)


def stop(world, price, *, quantity="0.01", **more):
    """A stop-loss sell in the other name space."""
    result = world.send_manually(
        "private/advanced/create-order",
        instrument_name="BTC_USD",
        side="SELL",
        type="STOP_LOSS",
        quantity=quantity,
        ref_price=str(price),
        **more,
    )
    return world.order(result["order_id"])


def pair(world, quantity="0.01"):
    """Stop and target of a position as one OCO."""
    price = world.price("BTC_USD")
    legs = [
        {"type": "LIMIT", "price": str(round(price * D("1.1")))},
        {"type": "STOP_LOSS", "ref_price": str(round(price * D("0.9")))},
    ]
    common = {"instrument_name": "BTC_USD", "side": "SELL", "quantity": quantity}
    named = [{**common, **leg, "client_oid": f"leg-{n}"} for n, leg in enumerate(legs)]
    world.send_manually("private/advanced/create-oco", order_list=named)
    return world.order("leg-0"), world.order("leg-1")


def test_open_orders_of_both_name_spaces_are_found(desk, world):
    limit, trigger = world.buy("BTC_USD", "0.01", price_at_ratio(world)), stop(world, price_at_ratio(world))
    run = desk.sync_ok()
    assert run.open_orders == 2
    assert (stored_order(limit).order_role, stored_order(trigger).order_role) == ("ENTRY", "STOP_LOSS")
    assert stored_order(trigger).trigger_price == trigger.ref_price
    assert stored_order(limit).price == limit.limit_price


def test_the_legs_of_a_pair_know_their_part(desk, world):
    target, stop_leg = pair(world)
    desk.sync_ok()
    assert (stored_order(target).order_role, stored_order(stop_leg).order_role) == (
        "TAKE_PROFIT",
        "STOP_LOSS",
    )
    assert stored_order(target).list_id == stored_order(stop_leg).list_id != ""


def test_a_market_buy_is_found_executed_with_its_fill(desk, world):
    order = world.buy("BTC_USD", "0.01")
    run = desk.sync_ok()
    assert (run.open_orders, run.executed_orders, run.trades) == (0, 1, 1)
    fill = Trade.objects.get()
    assert (fill.order_id, fill.quantity, fill.fee_currency) == (order.order_id, D("0.01"), "BTC")
    assert (stored_order(order).status, stored_order(order).filled_quantity) == ("FILLED", D("0.01"))
    assert desk.sync_ok().executed_orders == 0


def test_a_buy_for_an_amount_of_money_ends_cancelled_and_counts_as_executed(desk, world):
    result = world.send_manually(
        "private/create-order", instrument_name="BTC_USD", side="BUY", type="MARKET", notional="500"
    )
    order = world.order(result["order_id"])
    assert order.status == "CANCELED"
    run = desk.sync_ok()
    assert (run.executed_orders, run.trades) == (1, 1)
    assert list(orders_executed()) == [stored_order(order)]


def test_an_order_fills_bit_by_bit(desk, world):
    order = world.buy("BTC_USD", "0.04", price_at_ratio(world))
    desk.sync_ok()
    for part in ("0.01", "0.02"):
        world.fill(order, part)
        assert desk.sync_ok().trades == 1
    assert (stored_order(order).filled_quantity, stored_order(order).is_open) == (D("0.03"), True)
    world.fill(order)
    run = desk.sync_ok()
    assert (run.executed_orders, run.trades, run.open_orders) == (1, 1, 0)
    assert (
        sum(trade.quantity for trade in Trade.objects.all())
        == stored_order(order).filled_quantity
        == D("0.04")
    )


@pytest.mark.parametrize(
    "make", [lambda w: w.buy("BTC_USD", "0.01", price_at_ratio(w)), lambda w: stop(w, price_at_ratio(w))]
)
def test_a_cancel_by_hand_is_found(desk, world, make):
    order = make(world)
    desk.sync_ok()
    world.cancel(order)
    run = desk.sync_ok()
    assert (run.open_orders, run.executed_orders) == (0, 0)
    assert (stored_order(order).status, stored_order(order).is_open) == ("CANCELED", False)


def test_a_cancel_after_a_partial_fill_counts_as_executed(desk, world):
    order = world.buy("BTC_USD", "0.04", price_at_ratio(world))
    desk.sync_ok()
    world.fill(order, "0.01")
    world.cancel(order)
    assert desk.sync_ok().executed_orders == 1
    assert (stored_order(order).status, stored_order(order).filled_quantity) == ("CANCELED", D("0.01"))


def test_an_order_that_no_list_names_is_looked_up(desk, world):
    """A window by creation does not show the end of an old order."""
    world.set_behaviour(history_window="create")
    order = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync(3 * 3600)
    world.cancel(order)
    run = desk.sync_ok()
    assert "private/get-order-detail" in desk.requested
    assert stored_order(order).status == "CANCELED"
    assert run.requests == 8


def test_an_order_that_cannot_be_found_is_unknown_and_never_closed(desk, world):
    """Hidden for half an hour it still locks coins; twice absent is not closed."""
    order = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync_ok()
    world.hide(order, 1800)
    desk.sync_ok()
    noticed = stored_order(order).missing_since
    assert noticed == desk.now
    for _ in range(4):
        desk.sync_ok()
    kept = stored_order(order)
    assert (kept.is_open, kept.status, kept.missing_since) == (True, "ACTIVE", noticed)
    assert list(orders_open()) == [kept]
    world.tick(1800)
    assert desk.sync_ok().open_orders == 1
    assert stored_order(order).missing_since is None


def test_a_hidden_order_that_ended_is_found_when_it_shows_again(desk, world):
    order = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync_ok()
    world.hide(order, 3600)
    world.fill(order)
    run = desk.sync_ok()
    assert (run.executed_orders, run.trades, stored_order(order).missing_since) == (0, 1, desk.now)
    world.tick(3600)
    assert desk.sync_ok().executed_orders == 1
    assert (stored_order(order).status, stored_order(order).missing_since) == ("FILLED", None)


def test_more_missing_orders_than_a_cycle_looks_up_each_get_their_turn(desk, world):
    """Forty are looked up in a cycle: the other sixty come in the next ones."""
    world.deposit("USD", 1_000_000)
    orders = [world.buy("BTC_USD", "0.001", price_at_ratio(world)) for _ in range(100)]
    desk.sync_ok()
    for order in orders:
        world.hide(order, 24 * 3600)
    for _ in range(3):
        assert desk.sync_ok().requests <= 7 + 40
    assert not ExchangeOrder.objects.filter(missing_since=None).exists()
    ended = sorted(orders, key=lambda order: order.order_id)[40:]
    for order in ended:
        order.hidden_until_ms, order.status = 0, "CANCELED"
        world.exchange.stores["plain"].open.pop(order.order_id, None)
    for _ in range(8):
        desk.sync_ok()
    found = ExchangeOrder.objects.filter(is_open=False).values_list("order_id", flat=True)
    assert set(found) == {order.order_id for order in ended}


@pytest.mark.parametrize("age_s", [1, 5, 90])
def test_old_answers_move_nothing_back(desk, world, age_s):
    """The lists lag behind: an order that ended is still named open, and one that is open not yet at all."""
    first = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync_ok()
    world.faults.add("stale", "private/get-open-orders", age_s=age_s)
    desk.sync(0.5)
    world.tick(0.3)
    world.fill(first)
    run = desk.sync(0.1)
    assert run.errors == []
    assert (stored_order(first).status, run.open_orders) == ("FILLED", 0)
    second = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    for _ in range(3):
        desk.sync(0.1)
    assert stored_order(first).status == "FILLED"
    world.faults.clear()
    assert desk.sync_ok().open_orders == 1
    assert stored_order(second).is_open


def test_a_stale_balance_is_overtaken_by_the_next_one(desk, world):
    desk.sync_ok()
    world.faults.add("stale", "private/user-balance", age_s=30)
    desk.sync(1)
    world.buy("ETH_USD", "1")
    desk.sync(1)
    world.faults.clear()
    assert desk.sync_ok().balances == 3


def test_a_triggered_stop_is_followed_to_its_fill(desk, world):
    order = stop(world, price_at_ratio(world, ratio="0.9"))
    desk.sync_ok()
    world.move("BTC_USD", -15)
    run = desk.sync_ok()
    assert (run.executed_orders, run.trades) == (1, 1)
    assert stored_order(order).status == "FILLED"
    assert Trade.objects.get().order_id in (order.order_id, order.exchange_order_id)


@pytest.mark.parametrize("fills_carry", ["order_id", "exchange_order_id"])
def test_a_triggered_order_that_also_shows_plain_counts_once(desk, world, fills_carry):
    world.set_behaviour(triggered_in_plain="shown", fills_carry=fills_carry)
    price = price_at_ratio(world, ratio="0.9")
    result = world.send_manually(
        "private/advanced/create-order",
        instrument_name="BTC_USD",
        side="SELL",
        type="STOP_LIMIT",
        quantity="0.01",
        price=str(round(world.price("BTC_USD") * 2)),
        ref_price=str(price),
    )
    order = world.order(result["order_id"])
    desk.sync_ok()
    world.move("BTC_USD", -15)
    assert order.triggered
    run = desk.sync_ok()
    assert ExchangeOrder.objects.count() == 2
    assert (run.open_orders, orders_open().count()) == (1, 1)
    assert orders_open().get().name_space == "ADVANCED"
    world.fill(order)
    run = desk.sync_ok()
    assert (run.executed_orders, run.trades, orders_executed().count()) == (1, 1, 1)


def test_two_name_spaces_that_number_alike_hide_nothing(desk, world):
    world.set_behaviour(order_id_ranges="overlapping")
    orders = [world.buy("BTC_USD", "0.02", price_at_ratio(world)), stop(world, price_at_ratio(world))]
    assert desk.sync_ok().open_orders == 2
    assert {stored_order(order).is_mirror for order in orders} == {False}


@pytest.mark.parametrize("status", ["SUSPENDED", "A_STATUS_FAR_LONGER_THAN_ANY_COLUMN_OF_OURS"])
def test_a_status_that_nobody_knows_closes_nothing(desk, world, status):
    order = world.buy("BTC_USD", "0.01", price_at_ratio(world))
    desk.sync_ok()
    rule = world.faults.add("unknown_status", status=status)
    run = desk.sync()
    assert "is not believed" in run.errors[0] + run.errors[-1]
    assert (stored_order(order).is_open, stored_order(order).status) == (True, "ACTIVE")
    world.faults.remove(rule)
    world.cancel(order)
    desk.sync_ok()
    assert stored_order(order).status == "CANCELED"


@pytest.mark.parametrize("untriggered", ["PENDING", "NEW", "ACTIVE"])
def test_an_untriggered_stop_is_open_whatever_it_is_called(desk, world, untriggered):
    world.set_behaviour(untriggered_status=untriggered)
    order = stop(world, price_at_ratio(world))
    assert desk.sync_ok().open_orders == 1
    assert stored_order(order).status == untriggered


def test_the_whole_day_told_again_changes_nothing(desk, world):
    for _ in range(3):
        world.buy("BTC_USD", "0.01")
    world.cancel(world.buy("BTC_USD", "0.01", price_at_ratio(world)))
    pair(world)
    desk.sync_ok()
    before = table_rows(ExchangeOrder, Trade)
    SyncCursor.objects.all().delete()
    run = desk.sync_ok()
    assert (run.executed_orders, run.trades) == (0, 0)
    assert table_rows(ExchangeOrder, Trade) == before
