"""What was won and lost, and why it is not known where it is not."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
import time_machine

from exchange.selectors import order_rows
from portfolio.accounting.pnl import (
    SaleResult,
    UnknownReason,
    coin_results,
    midnight_ns,
    order_results,
    today,
    trade_results,
    unrealised_total,
)
from portfolio.dashboard.selectors import load_dashboard
from portfolio.models import Balance
from tests.factories import BalanceFactory, CostFactory, OrderFactory, SaleFactory, TradeFactory
from tests.support import queries

pytestmark = pytest.mark.django_db


def result(**changes):
    BalanceFactory(**changes)
    return coin_results(Balance.objects.all())["BTC"]


def test_a_coin_is_worth_more_or_less_than_it_cost():
    CostFactory()
    found = result()
    assert (found.average_cost_usd, found.unrealised_usd, found.unrealised_pct) == (50_000, 1_000, 20)
    assert found.unknown_reason is None


def test_what_left_the_account_took_its_cost_with_it():
    CostFactory()
    assert result(quantity=D("0.05")).unrealised_usd == 500


@pytest.mark.parametrize(
    ("cost", "held", "unknown_reason"),
    [
        (None, {}, UnknownReason.UNEXPLAINED),
        ({"quantity": D(0), "cost_usd": D(0)}, {}, UnknownReason.UNEXPLAINED),
        ({"quantity": D(0), "cost_usd": D(0), "uncosted": D(1)}, {}, UnknownReason.NO_RATE),
        ({"behind_ns": 1}, {}, UnknownReason.BEHIND),
        ({}, {"price_usd": None}, UnknownReason.UNPRICED),
    ],
)
def test_it_says_why_a_result_is_not_known(cost, held, unknown_reason):
    if cost is not None:
        CostFactory(**cost)
    found = result(**held)
    assert (found.unrealised_usd, found.unknown_reason) == (None, unknown_reason)


@pytest.mark.parametrize(("held", "rest"), [("0.10002", "0.00002"), ("0.4", "0.3")])
def test_a_reward_leaves_the_result_of_what_was_bought(held, rest):
    CostFactory()
    found = result(quantity=D(held), market_value_usd=D(held) * 60_000)
    assert (found.average_cost_usd, found.unrealised_usd, found.unrealised_pct) == (50_000, 1_000, 20)
    assert (found.unknown_reason, found.unexplained_quantity) == (None, D(rest))


def test_the_sum_is_of_what_is_known():
    CostFactory()
    BalanceFactory()
    BalanceFactory(currency="XYZ", price_usd=None)
    BalanceFactory(currency="USD", price_usd=D(1))
    results = coin_results(Balance.objects.all())
    assert set(results) == {"BTC", "XYZ"}
    assert unrealised_total(results) == 1_000
    summary = load_dashboard().summary
    assert (summary.unrealised_pnl_usd, summary.unrealised_unknown) == (1_000, 1)
    CostFactory._meta.model.objects.all().delete()
    assert load_dashboard().summary.unrealised_pnl_usd is None


def sold(**changes):
    order = OrderFactory(filled=True, side="SELL", **changes)
    trade = TradeFactory(order_id=order.order_id, side="SELL", quantity=order.quantity)
    return order, trade


def of(*orders):
    return order_results(order_rows(orders, usd_prices={}))


def test_a_sale_gained_what_its_fills_gained():
    order, trade = sold()
    SaleFactory(trade=trade, change=D("-0.004"))
    SaleFactory(order_id=order.order_id, change=D("-0.006"), realised_usd=D("-8.5"))
    assert of(order) == {order.pk: SaleResult(realised_usd=D(90))}


def test_a_triggered_order_is_found_by_its_second_id():
    order, _ = sold(advanced=True, exchange_order_id="77")
    SaleFactory(order_id="77")
    assert of(order) == {order.pk: SaleResult(realised_usd=D("98.50"))}


@pytest.mark.parametrize(
    ("sale", "rest"),
    [({"change": D("-0.009")}, "0.001"), ({"unexplained": D("0.000002")}, "0.000002")],
)
def test_of_a_sale_that_is_not_wholly_explained_the_rest_is_named(sale, rest):
    order, trade = sold()
    SaleFactory(trade=trade, **sale)
    assert of(order) == {order.pk: SaleResult(realised_usd=D("98.50"), unexplained=D(rest))}
    assert trade_results([trade.trade_id])[trade.trade_id].realised_usd == D("98.50")


@pytest.mark.parametrize("sale", [{"realised_usd": None}, {"instrument_name": "X_USD"}])
def test_a_sale_of_which_nothing_is_explained_has_no_result(sale):
    order, trade = sold()
    SaleFactory(trade=trade, **sale)
    assert of(order) == {}


def test_today_begins_at_midnight_of_the_desk(settings):
    settings.TIME_ZONE = "America/New_York"
    now = datetime(2026, 5, 2, 3, 30, tzinfo=UTC)  # still the first of May in New York
    assert midnight_ns(now) == int(datetime(2026, 5, 1, 4, tzinfo=UTC).timestamp()) * 10**9


@time_machine.travel(datetime(2026, 5, 2, 12, tzinfo=UTC), tick=False)
def test_today_counts_results_sales_and_fees():
    now = datetime.now(tz=UTC)
    yesterday = TradeFactory(side="SELL", traded_at=now - timedelta(days=1))
    SaleFactory(trade=yesterday)
    SaleFactory()
    SaleFactory(realised_usd=None)
    SaleFactory(realised_usd=D(1), unexplained=D("0.001"))
    TradeFactory(fee=D("-0.001"), fee_currency="BTC")
    TradeFactory(fee=D("-2"), fee_currency="CRO")
    TradeFactory(fee=D("-10"), fee_currency="USDT", fee_usd=D("-9"))
    found = today(now=now, usd_prices={"BTC": D(60_000), "USDT": D(1)})
    assert (found.realised_usd, found.sales, found.unknown_sales) == (D("99.50"), 3, 1)
    assert (found.fees_usd, found.unpriced_fees) == (D("73.50"), ("CRO",))
    assert found.unexplained == ("BTC",)


def test_a_page_costs_a_few_statements_more_than_the_api():
    counts = []
    for span in (None, "1w"):
        with queries() as statements:
            load_dashboard(span=span)
        counts.append(len(statements))
    assert 0 < counts[1] - counts[0] <= 5


def test_from_the_first_purchase_to_the_last_sale(desk, world):
    world.buy("BTC_USD", "0.01")
    desk.sync_ok()
    world.set_price("BTC_USD", world.price("BTC_USD") * 2)
    desk.sync_ok()
    before = load_dashboard(span="1d")
    paid = before.results["BTC"].average_cost_usd
    assert before.summary.unrealised_pnl_usd > 0
    held = (
        before.portfolio[1].quantity
        if before.portfolio[0].currency == "USD"
        else before.portfolio[0].quantity
    )
    world.sell("BTC_USD", "0.009")
    desk.sync_ok()
    after = load_dashboard(span="1d")
    gain = next(iter(after.realised.values())).realised_usd
    sale = TradeFactory._meta.model.objects.get(side="SELL")
    assert gain == pytest.approx(sale.quantity * sale.price + sale.fee - sale.quantity * paid)
    assert after.today.realised_usd == gain.quantize(D("0.01"))
    assert after.results["BTC"].average_cost_usd == pytest.approx(paid)
    assert held > after.portfolio[-1].quantity


def test_what_was_deposited_is_named_beside_the_result_of_what_was_bought(desk, world):
    world.deposit("ETH", "3")
    desk.sync_ok()
    assert load_dashboard().results["ETH"].unknown_reason == UnknownReason.UNEXPLAINED
    world.buy("ETH_USD", "0.1")
    world.set_price("ETH_USD", world.price("ETH_USD") * 2)
    desk.sync_ok()
    found = load_dashboard().results["ETH"]
    assert found.unknown_reason is None
    assert found.unexplained_quantity == pytest.approx(D(3), rel=D("0.001"))
    assert found.unrealised_usd == pytest.approx(D("0.1") * found.average_cost_usd, rel=D("0.03"))


def test_a_reward_with_everything_sold_keeps_the_result(desk, world):
    world.buy("ETH_USD", "1", fee_instrument_name="USD")
    world.deposit("ETH", "0.0005")
    desk.sync_ok()
    world.set_price("ETH_USD", world.price("ETH_USD") * 2)
    world.sell("ETH_USD", "1.0005", fee_instrument_name="USD")
    desk.sync_ok()
    (found,) = load_dashboard(span="1d").realised.values()
    bought = TradeFactory._meta.model.objects.get(side="BUY")
    assert found.unexplained == D("0.0005")
    assert found.realised_usd == pytest.approx(bought.price, rel=D("0.03"))
