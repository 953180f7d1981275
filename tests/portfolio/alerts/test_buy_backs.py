"""What is told of a buy-back speaks of buying, and counts from the sale."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from portfolio.alerts.accounting_checks import report_balance_changes
from portfolio.alerts.daily_report import daily_reason
from portfolio.alerts.position_checks import check_above_limit, unprotected_positions
from portfolio.alerts.services import alert_raise_all
from portfolio.alerts.texts import alert_text, alert_title, render_text, render_title
from portfolio.dashboard.selectors import load_dashboard
from portfolio.models import Alert, Balance
from tests.factories import (
    BalanceChangeFactory,
    BalanceFactory,
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    LotTradeFactory,
    OrderFactory,
    QuoteFactory,
    SyncRunFactory,
    TradeFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def known(clock, monkeypatch):
    """The account was read a moment ago; these rows have no orders behind them to judge by."""
    InstrumentFactory()
    SyncRunFactory()
    monkeypatch.setattr("portfolio.alerts.services.invariant_violations", lambda: [])


def look():
    alert_raise_all(now=timezone.now())
    check_above_limit(now=timezone.now())
    return [alert.kind for alert in Alert.objects.order_by("id")]


def ago(minutes):
    return timezone.now() - timedelta(minutes=minutes)


def bought(how, price, **changes):
    """A hundredth of a bitcoin that was sold at 60,000 and bought back by one of the desk's orders."""
    group = GroupFactory(buys_back=True, state=how, closed_at=timezone.now(), **changes)
    sale = TradeFactory(order_id=group.entry_order_id, side="SELL", price=D(60000), quantity=group.quantity)
    LotTradeFactory(lot=group.lot, trade_id=sale.trade_id)
    leg = LegFactory(group=group, side="BUY", type="STOP_LIMIT", status="FILLED", executed=group.quantity)
    if price:
        TradeFactory(order_id=leg.order_id, side="BUY", price=D(price), quantity=group.quantity)
    EventFactory(group=group, old="ACTIVE", new=how)
    return group


def test_bought_back_at_the_stop_is_told_with_what_it_cost():
    bought("CLOSED_BY_STOP", "63100")
    assert look() == look() == ["CLOSED"]
    told = Alert.objects.get()
    assert alert_title(told) == "BTC/USD: bought back at the stop, −$31.00"
    assert alert_text(told).splitlines() == [
        "0.01000 BTC bought back at an average price of 63,100.00 USD.",
        "P&L −$31.00 (−5.17%) vs. the sale at 60,000.00 USD, before fees.",
        "Its buy-back had a stop at 63,000.00 USD and a take profit at 54,000.00 USD.",
    ]


def test_bought_back_at_the_target_is_a_gain():
    bought("CLOSED_BY_TARGET", "54000", take_profit_price=None)
    look()
    told = Alert.objects.get()
    assert alert_title(told) == "BTC/USD: bought back at the take profit, +$60.00"
    assert "had a stop at 63,000.00 USD, without a take profit" in alert_text(told)


def test_bought_back_at_the_market_says_why():
    bought("CLOSED_BY_EXIT", "63500")
    assert look() == ["EXIT"]
    told = Alert.objects.get()
    assert alert_title(told) == "BTC/USD: bought back at market, −$35.00"
    assert "so Exchange Desk bought it back at market" in alert_text(told)


def test_without_a_price_it_says_so():
    bought("CLOSED_BY_STOP", None)
    look()
    told = Alert.objects.get()
    assert alert_title(told) == "BTC/USD: bought back at the stop"
    assert "bought back; price not available yet." in alert_text(told)
    assert "Sale price: 60,000.00 USD." in alert_text(told)


@pytest.mark.parametrize(
    ("state", "words"),
    [("CLOSED_BY_HAND", "buy-back closed"), ("RELEASED", "buy-back removed")],
)
def test_one_that_ended_otherwise_is_no_position_that_was_closed(state, words):
    group = GroupFactory(buys_back=True, state=state, closed_at=timezone.now())
    EventFactory(group=group, old="ACTIVE", new=state, reason="The money left the account otherwise.")
    look()
    told = Alert.objects.get()
    assert (alert_title(told), alert_text(told)) == (
        f"BTC/USD: {words}",
        "The money left the account otherwise.",
    )


def test_that_nothing_buys_it_back_is_told_after_two_cycles():
    GroupFactory(buys_back=True, state="PENDING", uncovered_since=ago(5), reason="Refused.")
    BalanceFactory()
    assert look() == look() == ["UNPROTECTED"]
    told = Alert.objects.get()
    assert alert_title(told) == "BTC/USD: 0.01000 without a buy-back order"
    assert "0.01000 sold, worth $600.00: no buy-back order since" in alert_text(told)
    assert "stop" not in alert_text(told)


def test_a_price_above_what_it_pays_is_told_until_it_comes_back():
    """All its orders rest, and nothing is bought: no state of the group says so."""
    group = GroupFactory(buys_back=True)
    assert look() == []
    quote = QuoteFactory(price=D(64890))
    assert look() == []
    quote.price = D("64890.01")
    quote.save()
    assert look() == look() == ["UNPROTECTED"]
    told = Alert.objects.get()
    assert (alert_title(told), told.oco_group_id) == ("BTC/USD: price above the buy-back limit", group.pk)
    assert "The buy-back pays at most 64,890.00 USD per coin" in alert_text(told)
    quote.read_at = ago(60)
    quote.save()
    assert look() == ["UNPROTECTED"]
    quote.price, quote.read_at = D(64000), timezone.now()
    quote.save()
    assert look() == look() == ["UNPROTECTED", "WELL"]


@pytest.mark.parametrize(
    ("state", "kinds"), [("REPLACING", ["UNPROTECTED", "WELL"]), ("CLOSED_BY_STOP", ["UNPROTECTED"])]
)
def test_it_is_over_when_its_orders_are(state, kinds):
    group = GroupFactory(buys_back=True)
    QuoteFactory(price=D(70000))
    look()
    group.state, group.closed_at = state, timezone.now() if state.startswith("CLOSED") else None
    group.save()
    assert look() == kinds
    assert not Alert.objects.filter(ended_at=None).exists()


def naked_value():
    (found,) = unprotected_positions(now=timezone.now(), longer_than=timedelta(0))
    return found.value_usd


def test_what_is_sold_out_is_priced_by_its_pair():
    """No balance, so no price beside it; a stop that others have up buys nothing back."""
    GroupFactory(buys_back=True, state="PENDING", uncovered_since=ago(5))
    OrderFactory(advanced=True, quantity=D(1))
    assert naked_value() is None
    quote = QuoteFactory(instrument_name="BTC_USD", price=D(61000))
    assert naked_value() == D(610)
    quote.read_at = ago(60)
    quote.save()
    assert naked_value() is None


def daily():
    found = daily_reason(load_dashboard(now=timezone.now()))
    return render_title(found), render_text(found)


def test_the_daily_alert_does_not_count_it_among_coins_without_a_stop():
    BalanceFactory(quantity=D("0.01"))
    GroupFactory()
    GroupFactory(buys_back=True)
    title, text = daily()
    assert title == "Everything is protected"
    assert "1 group active." in text
    assert "1 buy-back is active." in text
    GroupFactory(buys_back=True, state="STOP_FAILED", reason="The stop is gone.")
    title, text = daily()
    assert title == "Everything is protected"
    assert "with no open orders buying all of it back:\n• BTC/USD: 0.01000. The stop is gone." in text


def test_nor_does_it_call_one_released_protection_of_coins():
    GroupFactory(buys_back=True, state="RELEASED", closed_at=ago(5))
    BalanceFactory(quantity=D("0.01"))
    assert "Protection removed manually" not in daily()[1]
    Balance.objects.all().delete()
    assert daily()[0] == "Everything is protected"


def test_money_that_left_ended_the_buy_back_and_no_protection():
    group = GroupFactory(buys_back=True, state="CLOSED_BY_HAND", closed_at=timezone.now())
    EventFactory(group=group, old="ACTIVE", new="CLOSED_BY_HAND", at=timezone.now())
    since_ns = int(timezone.now().timestamp() * 1_000_000_000)
    for currency in ("USD", "BTC"):
        BalanceChangeFactory(currency=currency, change=D(-600), since_ns=since_ns, price_usd=D(1))
    report_balance_changes(now=timezone.now())
    money, coins = (alert_text(alert) for alert in Alert.objects.filter(kind="DRIFT").order_by("id"))
    assert "The buy-back that closed because these funds were missing has the same cause." in money
    assert "has the same cause" not in coins
