"""What lasts about a position is told once, and once that it is over."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from portfolio.alerts.delivery import build_message
from portfolio.alerts.services import alert_raise_all
from portfolio.alerts.texts import alert_text, alert_title
from portfolio.models import Alert
from tests.factories import (
    EventFactory,
    GroupFactory,
    InstrumentFactory,
    LegFactory,
    OrderFactory,
    TradeFactory,
)

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def broken(clock, monkeypatch):
    """The invariants that do not hold; these rows have no orders behind them to judge by."""
    words = []
    monkeypatch.setattr("portfolio.alerts.services.invariant_violations", lambda: words)
    return words


def look():
    alert_raise_all(now=timezone.now())
    return [alert.kind for alert in Alert.objects.order_by("id")]


def ago(seconds):
    return timezone.now() - timedelta(seconds=seconds)


def become(group, state, **changes):
    for name, value in {"state": state, **changes}.items():
        setattr(group, name, value)
    group.save()


def test_unknown_is_told_after_two_cycles(settings):
    settings.SYNC_INTERVAL_SECONDS = 30
    group = GroupFactory(state="UNKNOWN", state_since=ago(60))
    assert look() == []
    become(group, "UNKNOWN", state_since=ago(61))
    assert look() == look() == ["UNKNOWN"]


@pytest.mark.parametrize(("interval", "seconds"), [(30, 60), (60, 120), (120, 180)])
def test_naked_is_told_after_two_cycles_and_at_most_three_minutes(settings, interval, seconds):
    settings.SYNC_INTERVAL_SECONDS = interval
    group = GroupFactory(state="PENDING", uncovered_since=ago(seconds))
    assert look() == []
    become(group, "PENDING", uncovered_since=ago(seconds + 1))
    assert look() == look() == ["UNPROTECTED"]


def test_all_troubles_of_a_group_end_with_one_message():
    group = GroupFactory(state="UNKNOWN", state_since=ago(500), uncovered_since=ago(500))
    EventFactory(group=group, old="PENDING", new="STOP_FAILED", reason="Refused three times.")
    assert sorted(look()) == ["STOP_FAILED", "UNKNOWN", "UNPROTECTED"]
    become(group, "ACTIVE", uncovered_since=None, reason="Stop and target were read back open.")
    assert [kind for kind in look() if kind == "WELL"] == ["WELL"]
    well = Alert.objects.get(kind="WELL")
    assert (alert_title(well), well.oco_group_id) == ("Resolved: BTC/USD", group.pk)
    assert not Alert.objects.exclude(kind="WELL").filter(ended_at=None).exists()


def test_an_end_speaks_for_itself():
    group = GroupFactory(state="UNKNOWN", state_since=ago(500))
    look()
    become(group, "CLOSED_BY_STOP", closed_at=timezone.now())
    EventFactory(group=group, old="UNKNOWN", new="CLOSED_BY_STOP", reason="The stop was filled.")
    assert look() == look() == ["UNKNOWN", "CLOSED"]
    assert not Alert.objects.filter(ended_at=None).exists()  # mere news needs nobody either


def test_a_stop_that_fails_each_cycle_is_one_alert():
    group = GroupFactory(state="STOP_FAILED")
    for _ in range(3):
        EventFactory(group=group, old="REPLACING", new="STOP_FAILED")
        assert look() == ["STOP_FAILED"]


def test_what_the_exchange_answered_reaches_the_person():
    refused = {"reason": "", "reason_code": "ORDER_REFUSED"}
    group = GroupFactory(state="STOP_FAILED", exchange_code=415, **refused)
    EventFactory(group=group, old="PENDING", new="STOP_FAILED", code=415, **refused)
    look()
    alert = Alert.objects.get()
    assert alert.exchange_code == 415
    assert alert_text(alert).count("415") == 1
    assert "Make the order larger" in alert_text(alert)


def test_a_release_is_told_once():
    EventFactory(group=GroupFactory(state="RELEASED"), old="ACTIVE", new="RELEASED")
    assert look() == look() == ["RELEASED"]


def sold(how, price, **changes):
    """A protected hundredth of a bitcoin that one of its orders sold."""
    InstrumentFactory()
    group = GroupFactory(state=how, closed_at=timezone.now(), **changes)
    leg = LegFactory(group=group, status="FILLED", executed=group.quantity)
    if price:
        TradeFactory(order_id=leg.order_id, side="SELL", price=D(price), quantity=group.quantity)
    EventFactory(group=group, old="ACTIVE", new="EXITING")
    EventFactory(group=group, old="EXITING", new=how)
    return group


def test_a_market_exit_is_one_message_with_its_numbers():
    sold("CLOSED_BY_EXIT", "56900")
    assert look() == look() == ["EXIT"]
    told = Alert.objects.get()
    assert alert_title(told) == "BTC/USD: sold at market, −$31.00"
    assert alert_text(told).splitlines() == [
        "0.01000 BTC sold at an average price of 56,900.00 USD.",
        "P&L −$31.00 (−5.17%) from the entry at 60,000.00 USD, before fees.",
        "The price was past its stop at 57,000.00 USD, so Exchange Desk sold it at market.",
    ]


def test_a_target_that_was_hit_says_what_it_won_and_what_protected_it():
    sold("CLOSED_BY_TARGET", "66000")
    assert look() == ["CLOSED"]
    told = Alert.objects.get()
    assert alert_title(told) == "BTC/USD: take profit hit, +$60.00"
    assert "a stop at 57,000.00 USD and a take profit at 66,000.00 USD" in alert_text(told)


def test_a_sale_without_a_price_or_an_entry_says_so():
    sold("CLOSED_BY_STOP", None)
    sold("CLOSED_BY_STOP", "56900", entry_price=None, take_profit_price=None)
    look()
    first, second = Alert.objects.order_by("id")
    assert alert_title(first) == alert_title(second) == "BTC/USD: stop hit"
    assert "0.01000 BTC sold; price not available yet." in alert_text(first)
    assert "requested manually" in alert_text(second)
    assert "without a take profit" in alert_text(second)


def test_the_order_says_the_price_before_its_trades_are_read():
    group = sold("CLOSED_BY_STOP", None)
    leg = group.legs.get()
    OrderFactory(order_id=leg.order_id, filled=True, side="SELL", price=D("56900"))
    look()
    assert alert_title(Alert.objects.get()) == "BTC/USD: stop hit, −$31.00"


def test_a_sale_is_sent_as_a_warning():
    sold("CLOSED_BY_STOP", "56900")
    look()
    message = build_message([Alert.objects.get()])
    assert message.tone == "warning"
    assert "/protection/" in message.text


def test_books_that_add_up_again_are_told(broken):
    broken.append("Lot 1 has 2 open groups.")
    assert look() == look() == ["INVARIANT"]
    broken.clear()
    assert look() == look() == ["INVARIANT", "WELL"]
