"""A fill that was plausible and untrue: later answers contradict it, which is told, and then it no longer counts."""

import json
from decimal import Decimal

import pytest

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
