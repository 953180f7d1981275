"""A fill that was plausible and untrue: later answers contradict it, which is told, and then it no longer counts."""

import json
from datetime import timedelta
from decimal import Decimal

import pytest

from exchange.core.times import NS_PER_MS, to_ms
from exchange.models import SyncRun, Trade, UnreadableRow
from oco.models import Lot
from portfolio.models import CostEntry
from tests.oco.support import check, check_converged, group, resting, stop_of

D = Decimal
TRADES = "private/get-trades"


def lie(world, values, **rule):
    """The next answers of get-trades say something else of the fills."""
    return world.faults.add("lie", TRADES, values=values, where={"side": "BUY"}, **rule)


@pytest.fixture
def started(desk, world):
    world.set_price("BTC_USD", "60000")
    desk.sync_ok()


def test_a_quantity_that_later_answers_contradict_is_corrected(desk, world, started):
    world.deposit("BTC", "1")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, {"traded_quantity": "0.1"}, times=1)
    desk.unchecked()
    assert Trade.objects.get().quantity == D("0.1")
    doubted = desk.unchecked()
    assert doubted.status == SyncRun.Status.PARTIAL
    assert any("is not believed" in text for text in doubted.errors)
    desk.unchecked()
    trade = Trade.objects.get()
    assert (trade.quantity, trade.reports[0]["quantity"]) == (D("0.01"), "0.1")
    assert UnreadableRow.objects.filter(row_id=trade.trade_id).exists()
    for _ in range(2):
        desk.sync_ok()
    assert (Lot.objects.get().owned, stop_of(world).quantity) == (D("0.01"), D("0.01"))
    assert sum(CostEntry.objects.filter(currency="BTC").values_list("change", flat=True)) == D("0.01")
    check_converged(world)


def test_a_price_that_later_answers_contradict_moves_the_stop(desk, world, started):
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, {"traded_price": "30000"}, times=1)
    desk.unchecked()
    assert stop_of(world).ref_price < 30_000
    for _ in range(4):
        desk.unchecked()
    check(world)
    assert stop_of(world).ref_price > 55_000
    check_converged(world)


def test_a_fill_that_later_answers_do_not_contain_counts_as_zero(desk, world, started):
    world.deposit("BTC", "1")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    row = Trade.objects.get()
    Trade.objects.filter(pk=row.pk).update(is_new=False)
    false = Trade.objects.get()
    false.pk, false.trade_id, false.order_id, false.quantity = None, "77", "78", D("0.5")
    false.is_new, false.resolved_order = True, None
    false.save()
    first = desk.unchecked()
    assert Lot.objects.filter(bought="0.5").exists()
    assert any("77 is not believed" in text for text in first.errors)
    for _ in range(4):
        desk.unchecked()
    false.refresh_from_db()
    assert (false.quantity, json.dumps(false.reports).count('"0.5"')) == (0, 1)
    assert sum((order.quantity for order in resting(world) if order.order_type == "STOP_LOSS"), D(0)) == D(
        "0.01"
    )
    check(world)
    desk.sync_ok()


def test_a_sale_of_ours_that_never_was_is_sold_no_longer(desk, world, held):
    stop = stop_of(world)
    row = Trade.objects.get()
    row.pk, row.trade_id, row.order_id, row.client_oid = None, "77", stop.order_id, stop.client_oid
    row.side, row.quantity, row.is_new, row.resolved_order = "SELL", D("0.004"), False, None
    row.save()
    for _ in range(5):
        desk.unchecked()
    assert (Lot.objects.get().sold, group().state) == (0, "ACTIVE")
    assert stop_of(world).quantity == D("0.01")
    check(world)
    check_converged(world)


def test_an_answer_that_is_empty_by_error_contradicts_nothing(desk, world, held):
    world.faults.add("empty", TRADES)
    for _ in range(4):
        desk.sync()
    assert Trade.objects.get().quantity == D("0.01")
    world.faults.clear()
    desk.sync_ok()
    assert (Trade.objects.get().disputed_since, Trade.objects.get().reports) == (None, [])


def test_a_fill_that_its_order_confirms_is_kept(desk, world, held):
    other = world.buy("ETH_USD", "0.1", fee_instrument_name="USD")
    desk.sync_ok()
    world.exchange.trades.rows[:] = [
        row for row in world.exchange.trades.rows if row.instrument_name == "ETH_USD"
    ]
    assert other.cumulative_quantity
    for _ in range(4):
        desk.unchecked()
    assert Trade.objects.get(instrument_name="BTC_USD").quantity == D("0.01")


def moment(desk, **later):
    """The fields of a time, from the desk's clock."""
    ms = to_ms(desk.now + timedelta(**later))
    return {"create_time": ms, "create_time_ns": str(ms * NS_PER_MS)}


def stops(world):
    return [
        (order.instrument_name, order.quantity) for order in resting(world) if order.order_type == "STOP_LOSS"
    ]


def costs(currency):
    return sum(CostEntry.objects.filter(currency=currency).values_list("change", flat=True), D(0))


def settle(desk, cycles=5):
    """The answers contradict what is stored, until it is corrected; then all is well again."""
    doubted = desk.unchecked()
    assert doubted.status == SyncRun.Status.PARTIAL
    assert any("is not believed" in text for text in doubted.errors)
    for _ in range(cycles):
        desk.unchecked()
    desk.sync_ok()


def test_a_fill_of_another_instrument_moves_to_a_lot_of_its_own(desk, world, started):
    world.set_price("ETH_USD", "60000")
    world.deposit("ETH", "1")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, {"instrument_name": "ETH_USD"}, times=1)
    desk.unchecked()
    assert (Lot.objects.get().base_ccy, stops(world)) == ("ETH", [("ETH_USD", D("0.01"))])
    settle(desk)
    trade = Trade.objects.get()
    assert (trade.instrument_name, trade.reports[0]["instrument_name"]) == ("BTC_USD", "ETH_USD")
    assert trade.resolved_order.instrument_name == "BTC_USD"
    assert [(lot.base_ccy, lot.owned) for lot in Lot.objects.order_by("id")] == [
        ("ETH", 0),
        ("BTC", D("0.01")),
    ]
    assert (stops(world), costs("ETH"), costs("BTC")) == ([("BTC_USD", D("0.01"))], 0, D("0.01"))
    check_converged(world)


def test_a_purchase_that_was_a_sale_has_no_lot(desk, world, started):
    world.deposit("BTC", "1")
    desk.sync_ok()
    world.sell("BTC_USD", "0.01")
    world.faults.add("lie", TRADES, values={"side": "BUY"}, times=1)
    desk.unchecked()
    assert stops(world) == [("BTC_USD", D("0.01"))]
    settle(desk)
    assert (Trade.objects.get().side, Lot.objects.get().owned, stops(world)) == ("SELL", 0, [])
    assert costs("BTC") == D("-0.01")
    check_converged(world)


def test_a_sale_that_was_a_purchase_is_protected(desk, world, started):
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, {"side": "SELL"}, times=1)
    desk.unchecked()
    assert not Lot.objects.exists()
    settle(desk)
    assert stops(world) == [("BTC_USD", D("0.01"))]
    check_converged(world)


@pytest.mark.parametrize("false", [{"minutes": -8}, {"seconds": 50}], ids=["before the start", "later"])
def test_a_fill_keeps_the_time_that_later_answers_tell(desk, world, started, false):
    order = world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, moment(desk, **false), times=1)
    desk.unchecked()
    assert Trade.objects.get().create_time_ns == int(moment(desk, **false)["create_time_ns"]) - 60 * 10**9
    settle(desk)
    trade = Trade.objects.get()
    assert abs(trade.create_time_ns // NS_PER_MS - order.create_time_ns // NS_PER_MS) < 1000
    assert to_ms(trade.traded_at) == trade.create_time_ns // NS_PER_MS == to_ms(Lot.objects.get().entered_at)
    assert CostEntry.objects.exclude(change=0).get().at_ns == trade.create_time_ns
    assert (Lot.objects.get().owned, stops(world)) == (D("0.01"), [("BTC_USD", D("0.01"))])
    check_converged(world)


def test_a_fee_in_another_currency_changes_the_lot(desk, world, started):
    world.deposit("BTC", "1")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    lie(world, {"fee_instrument_name": "CRO"}, times=1)
    desk.unchecked()
    assert Lot.objects.get().bought == D("0.01")
    settle(desk)
    trade = Trade.objects.get()
    assert (trade.fee_currency, Lot.objects.get().owned) == ("BTC", D("0.01") + trade.fee)
    assert (costs("CRO"), costs("BTC")) == (0, D("0.01") + trade.fee)
    check_converged(world)


def test_a_sale_that_was_told_as_one_of_ours_is_ours_no_longer(desk, world, held):
    world.deposit("BTC", "1")
    desk.sync_ok()
    stop = stop_of(world)
    world.sell("BTC_USD", "0.004")
    claim = {"order_id": stop.order_id, "client_oid": stop.client_oid}
    world.faults.add("lie", TRADES, values=claim, where={"side": "SELL"}, times=1)
    desk.unchecked()
    settle(desk)
    trade = Trade.objects.get(side="SELL")
    assert (trade.order_id != stop.order_id, trade.reports[0]["order_id"]) == (True, stop.order_id)
    assert trade.resolved_order.order_id == trade.order_id
    assert (Lot.objects.get().sold, group().state, stop_of(world).quantity) == (0, "ACTIVE", D("0.01"))
    check_converged(world)


def test_a_corrected_purchase_is_corrected_back(desk, world, started):
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    desk.sync_ok()
    lie(world, {"side": "SELL"})
    for _ in range(4):
        desk.unchecked()
    assert (Trade.objects.get().side, stops(world)) == ("SELL", [])
    world.faults.clear()
    settle(desk)
    assert ([lot.owned for lot in Lot.objects.order_by("id")], stops(world)) == (
        [0, D("0.01")],
        [("BTC_USD", D("0.01"))],
    )
    check_converged(world)


@pytest.mark.parametrize("later", [{"days": -2}, {"minutes": 20}], ids=["before", "after"])
def test_a_fill_outside_the_period_asked_for_says_nothing(desk, world, started, later):
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, moment(desk, **later), times=1)
    run = desk.sync()
    assert (run.status, Trade.objects.count()) == (SyncRun.Status.PARTIAL, 0)
    assert UnreadableRow.objects.filter(method=TRADES, reason_code="NOT_ASKED_FOR").exists()
    desk.sync_ok()
    assert stops(world) == [("BTC_USD", D("0.01"))]
    check_converged(world)


def test_a_fee_larger_than_the_trade_is_not_believed(desk, world, started):
    world.buy("BTC_USD", "0.01")
    lie(world, {"fees": "-0.011"}, times=1)
    assert desk.sync().status == SyncRun.Status.PARTIAL
    assert not Trade.objects.exists()
    desk.sync_ok()
    assert Lot.objects.get().owned < D("0.01")
    check_converged(world)


def test_an_order_outside_the_period_asked_for_says_nothing(desk, world, held):
    ms = to_ms(desk.now - timedelta(days=3))
    old = {"create_time": ms, "create_time_ns": str(ms * NS_PER_MS), "update_time": ms}
    world.faults.add("lie", "private/get-order-history", values=old, where={"side": "BUY"}, times=1)
    run = desk.sync()
    assert run.status == SyncRun.Status.PARTIAL
    assert UnreadableRow.objects.filter(method="private/get-order-history").exists()
    desk.sync_ok()
    check_converged(world)


@pytest.mark.parametrize("is_order_readable", [True, False])
def test_nothing_is_sold_at_market_on_one_answer(desk, world, started, is_order_readable):
    world.set_price("ETH_USD", "3000")
    world.deposit("ETH", "1")
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, {"instrument_name": "ETH_USD"}, times=1)
    if not is_order_readable:
        world.faults.add("refuse", "private/get-order-detail", code=50001)
    desk.unchecked()
    assert (group().state, group().reason_code) == ("PENDING", "ENTRY_NOT_CONFIRMED")
    world.faults.clear()
    settle(desk)
    assert (world.balance("ETH"), stops(world)) == (1, [("BTC_USD", D("0.01"))])
    check_converged(world)


def test_a_false_price_sells_nothing(desk, world, started):
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    lie(world, {"traded_price": "120000"}, times=1)
    desk.unchecked()
    settle(desk)
    assert (world.balance("BTC"), stops(world)) == (D("0.01"), [("BTC_USD", D("0.01"))])
    check_converged(world)


def test_a_purchase_whose_order_cannot_be_read_is_sold_a_cycle_later(desk, world, started):
    world.faults.add("refuse", "private/get-order-detail", code=50001)
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.move("BTC_USD", -9)
    desk.unchecked()
    assert group().reason_code == "ENTRY_NOT_CONFIRMED"
    world.faults.clear()
    desk.unchecked()
    assert (group().state, world.balance("BTC")) == ("CLOSED_BY_EXIT", 0)
