"""`oco_plan`: what would be done, and nothing is done; with --apply it is."""

from decimal import Decimal

import pytest
from django.core.management import CommandError

from exchange.models import ExchangeOrder, SyncCursor, Trade
from exchange.services.lease import lease_take
from oco.engine.pricing import stop_of
from oco.models import Lot, LotTrade, OcoEvent, OcoGroup, OcoLeg, Watermark
from tests.factories import PolicyFactory
from tests.oco.support import check_converged, created, group, ours, resting, target_of
from tests.support import table_rows

RECORD = (
    ExchangeOrder,
    Lot,
    LotTrade,
    OcoEvent,
    OcoGroup,
    OcoLeg,
    SyncCursor,
    Trade,
    Watermark,
)


def test_a_new_entry_is_planned_with_its_prices_and_why(desk, world, run):
    desk.sync_ok()
    order = world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    paid = order.cumulative_value / order.cumulative_quantity
    said = run("oco_plan")
    assert "BTC_USD 0.01000 PENDING: No open order protects it." in said
    assert "would place a stop with a take profit for 0.01000" in said
    assert f"stop {stop_of(paid, Decimal(5), Decimal('0.01'))}, take profit " in said


def test_a_sale_that_is_to_be_bought_back_is_planned_with_the_most_it_may_cost(desk, world, run):
    PolicyFactory(side="SELL")
    world.deposit("BTC", "0.1")
    desk.sync_ok()
    world.sell("BTC_USD", "0.1", fee_instrument_name="USD")
    desk.tick(1)
    said = run("oco_plan")
    assert ", bought back, PENDING: " in said
    assert "would place a stop with a take profit for 0.09" in said
    assert "at most " in said
    world.move("BTC_USD", 6)
    desk.tick(60)
    assert "would place a market buy for 0.09" in run("oco_plan")


def test_it_changes_nothing_here_or_there(desk, world, run):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    before, open_before = table_rows(*RECORD), len(world.open_orders())
    desk.requested.clear()
    run("oco_plan")
    assert table_rows(*RECORD) == before
    assert (len(world.open_orders()), created(desk.requested)) == (open_before, 0)


def test_before_the_first_cycle_it_opens_nothing(desk, world, run):
    world.buy("BTC_USD", "0.01")
    desk.tick(5)
    assert "Nothing to protect." in run("oco_plan")
    assert not Watermark.objects.exists()


def test_a_quiet_group_needs_nothing(desk, world, held, run):
    said = run("oco_plan")
    assert "BTC_USD 0.01000 ACTIVE: Stop and take profit confirmed open on the exchange." in said
    assert "would place and cancel nothing" in said


def test_what_would_be_cancelled_is_named(desk, world, held, run):
    target = target_of(world)
    world.fill(target, "0.004")
    said = run("oco_plan")
    assert f"would cancel {target.client_oid}, then decide again" in said
    assert resting(world) == [target]


def test_a_market_beyond_the_stop_is_looked_at_twice(desk, world, run):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    world.move("BTC_USD", -6)
    desk.tick(60)
    assert "would place a market sell for" in run("oco_plan")
    assert ours(world) == []


def test_the_kill_switch_is_the_reason_why_nothing_is_placed(desk, world, run):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    run("kill_switch", "on")
    said = run("oco_plan")
    assert "Kill switch turned on by" in said
    assert "would place and cancel nothing" in said


def test_applied_it_is_done_and_told(desk, world, run):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01")
    said = run("oco_plan", "--apply")
    assert (group().state, len(resting(world))) == ("ACTIVE", 2)
    assert "PENDING → ACTIVE: Stop and take profit confirmed open on the exchange." in said
    desk.sync_ok()
    check_converged(world)


def test_applied_with_a_key_that_may_not_trade_it_fails(desk, world, run):
    desk.sync_ok()
    world.buy("BTC_USD", "0.01", fee_instrument_name="USD")
    world.control("access", may_trade=False)
    with pytest.raises(CommandError, match="does not let this API key trade"):
        run("oco_plan", "--apply")
    assert group().exchange_code == 40101


def test_it_waits_for_the_lease_and_then_says_who_has_it(desk, run, monkeypatch):
    desk.sync_ok()
    lease_take(purpose="cycle")
    monkeypatch.setattr("exchange.services.lease.WAIT_TIMEOUT_SECONDS", 0.5)
    with pytest.raises(CommandError, match=r"Another cycle is running \(cycle "):
        run("oco_plan")
