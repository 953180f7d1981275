"""Executions that the exchange counts and we have not stored are told; balances are not guessed from."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.utils import timezone

from exchange.models import ExchangeOrder
from exchange.models.sync import Stream
from portfolio.alerts.accounting_checks import check_missing_fills
from portfolio.alerts.texts import alert_text
from portfolio.models import Alert
from tests.factories import (
    HistoryRangeFactory,
    OrderFactory,
    SyncCursorFactory,
    TradeFactory,
    WatermarkFactory,
)

pytestmark = pytest.mark.django_db
NS = 1_000_000_000


@pytest.fixture(autouse=True)
def read(clock):
    """Trades were read until a minute ago, since yesterday."""
    now = int(timezone.now().timestamp())
    WatermarkFactory(since_ns=(now - 86_400) * NS)
    SyncCursorFactory(stream=Stream.TRADES, read_until_ns=(now - 60) * NS)


@pytest.fixture
def order():
    """Filled half an hour ago."""
    ago = timezone.now() - timedelta(minutes=30)
    return OrderFactory(
        status="FILLED",
        is_open=False,
        has_fills=True,
        filled_quantity=Decimal("0.01"),
        created_at=ago,
        updated_at=ago,
    )


def look():
    check_missing_fills(now=timezone.now())
    return [alert.kind for alert in Alert.objects.order_by("id")]


def test_an_order_whose_executions_are_all_there_is_no_news(order):
    TradeFactory(order_id=order.order_id, quantity=Decimal("0.004"))
    TradeFactory(order_id=order.order_id, quantity=Decimal("0.006"))
    assert look() == []


def test_a_missing_execution_is_told_until_it_is_there(order, clock):
    TradeFactory(order_id=order.order_id, quantity=Decimal("0.004"))
    assert look() == look() == ["TRADES"]
    assert "add up to 0.004" in alert_text(Alert.objects.get())
    clock.tick(days=3)  # the order has left the window, its alert has not
    assert look() == ["TRADES"]
    TradeFactory(order_id=order.order_id, quantity=Decimal("0.006"))
    assert look() == look() == ["TRADES", "WELL"]


def test_either_id_of_a_triggered_order_counts(order):
    ExchangeOrder.objects.update(exchange_order_id="4711")
    TradeFactory(order_id="4711", quantity=Decimal("0.01"))
    assert look() == []


@pytest.mark.parametrize("minutes", [0, 9])
def test_a_fresh_order_is_given_time(order, minutes):
    ExchangeOrder.objects.update(updated_at=timezone.now() - timedelta(minutes=minutes))
    assert look() == []


def test_what_was_before_the_watermark_is_no_business_of_ours(order):
    ExchangeOrder.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert look() == []


def test_while_a_stretch_is_still_to_be_read_nothing_is_missing(order):
    HistoryRangeFactory(stream=Stream.TRADES, end_ns=int(timezone.now().timestamp()) * NS)
    assert look() == []
