"""What a trade was worth in dollars when it was made: stored with it, whatever the rate is later."""

from decimal import Decimal as D

import pytest

from exchange.models import Trade
from portfolio.accounting import rates
from portfolio.dashboard.selectors import load_dashboard
from portfolio.models import CostCursor, CostEntry
from tests.exchange.simulator.world import World
from tests.factories import TradeFactory


@pytest.fixture
def world():
    """An account with dollars of another name, at 90 cents."""
    world = World({"USD": 50_000, "USDT": 50_000})
    world.set_fees(0, 0)
    world.set_price("USDT_USD", "0.90")
    return world


def buy(world, quantity="0.1", name="BTC_USDT"):
    world.buy(name, quantity, fee_instrument_name="USDT")


def paid():
    """The quote currency's rate and the cost in dollars of the newest purchase."""
    entry = CostEntry.objects.filter(is_sale=False).first()
    return Trade.objects.get(trade_id=entry.trade_id).quote_usd, entry.usd


def test_a_purchase_in_a_depegged_dollar_costs_what_it_was_worth(desk, world):
    buy(world)
    desk.sync_ok()
    price = Trade.objects.get().price
    assert paid() == (D("0.90"), D("0.1") * price * D("0.90"))
    world.set_price("USDT_USD", "1.00")
    desk.sync_ok()
    assert load_dashboard().results["BTC"].average_cost_usd == price * D("0.90")


def test_a_loss_is_not_made_of_the_depeg(desk, world):
    """Bought and sold in USDT at 0.90: the loss is that in USDT, at 0.90."""
    buy(world)
    desk.sync_ok()
    world.move("BTC_USDT", -1)
    world.set_price("USDT_USD", "0.90")
    world.sell("BTC_USDT", "0.1", fee_instrument_name="USDT")
    desk.sync_ok()
    bought, sold = Trade.objects.order_by("create_time_ns")
    (found,) = load_dashboard(span="1d").realised.values()
    assert found.realised_usd == (sold.price - bought.price) * D("0.1") * D("0.90")


def test_a_coin_is_a_quote_like_any_other(desk, world):
    world.deposit("BTC", 1)
    world.buy("ETH_BTC", "1", fee_instrument_name="BTC")
    desk.sync_ok()
    trade = Trade.objects.get()
    assert trade.quote_usd == world.price("BTC_USD")
    assert load_dashboard().results["ETH"].average_cost_usd == trade.price * trade.quote_usd


def test_after_a_downtime_the_rate_is_that_of_the_trade(desk, world):
    desk.sync_ok()
    buy(world)
    desk.tick(3600)
    world.set_price("USDT_USD", "1.00")
    desk.tick(3600)
    requests = desk.sync_ok().requests
    assert paid()[0] == D("0.90")
    assert paid()[1] == Trade.objects.get().price * D("0.1") * D("0.90")
    assert load_dashboard().results["BTC"].unknown_reason is None
    assert desk.sync_ok().requests <= requests - 1
    assert not CostCursor.objects.get().rates_due


def test_a_rate_that_cannot_be_read_is_read_in_the_next_cycle(desk, world):
    desk.sync_ok()
    buy(world)
    desk.tick(3600)
    world.faults.add("http", method="public/get-candlestick", status=500)
    run = desk.sync()
    assert (run.status, run.trades) == ("PARTIAL", 1)
    assert "Rates of past trades" in run.errors[0]
    assert load_dashboard().results["BTC"].unknown_reason == "NO_RATE"
    world.faults.clear()
    desk.sync_ok()
    assert paid()[0] == D("0.90")


def test_a_currency_without_a_pair_has_no_rate_and_is_not_asked_for_again(desk, world):
    TradeFactory(instrument_name="SOL_XYZ", fee_currency="XYZ")
    desk.sync_ok()
    trade = Trade.objects.get()
    assert (trade.quote_usd, trade.fee_usd, trade.is_rated) == (None, None, True)
    desk.sync_ok()
    assert not CostCursor.objects.get().rates_due


def test_many_old_trades_are_rated_a_few_requests_a_cycle(desk, world, monkeypatch):
    monkeypatch.setattr(rates, "MAX_BARS", 12)
    desk.sync_ok()
    for _ in range(5):
        buy(world, "0.01")
        desk.tick(2 * 3600)
    desk.sync_ok()
    assert Trade.objects.filter(is_rated=True).count() == 2
    for _ in range(3):
        desk.sync_ok()
    assert set(Trade.objects.values_list("quote_usd", flat=True)) == {D("0.90")}
    assert not CostEntry.objects.filter(usd=None).exists()


def test_what_an_older_version_calculated_is_calculated_again(desk, world):
    """It took each USDT for a dollar, and stored no rate."""
    buy(world)
    desk.sync_ok()
    price = Trade.objects.get().price
    Trade.objects.update(quote_usd=None, fee_usd=None, is_rated=False)
    CostEntry.objects.update(usd=price / 10, stock_cost_usd=None)
    CostCursor.objects.update(rates_due=True, is_revised=False)
    desk.sync_ok()
    assert paid() == (D("0.90"), D("0.1") * price * D("0.90"))
    assert load_dashboard().results["BTC"].average_cost_usd == price * D("0.90")
