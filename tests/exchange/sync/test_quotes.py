"""The newest ticker takes the place of the one before."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchange.models import Quote
from exchange.schemas import Ticker
from exchange.sync.market_data import quote_record_all

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)


def told(name="BTC_USD", **changes):
    row = {"i": name, "a": "60000.10", "b": "60000", "k": "60001", "c": "-0.0105", "t": 1_785_587_000_123}
    return Ticker.from_row(row | changes)


def test_a_quote_is_replaced():
    quote_record_all(tickers=[told(), told("ETH_USD")], now=NOON)
    later = NOON + timedelta(minutes=1)
    assert quote_record_all(tickers=[told(a="61000.00", c=None)], now=later) == 1
    kept = Quote.objects.get(instrument_name="BTC_USD")
    assert (kept.price, kept.change_24h, kept.read_at) == (Decimal("61000.00"), None, later)
    assert Quote.objects.get(instrument_name="ETH_USD").change_24h == Decimal("-0.0105")


@pytest.mark.parametrize(
    ("last", "bid", "ask", "price"),
    [("5", "1", "2", "5"), (None, "1", "2", "1.5"), (None, None, "2", None), (None, "1", None, None)],
)
def test_without_a_trade_the_middle_of_the_book_is_the_price(last, bid, ask, price):
    assert told(a=last, b=bid, k=ask).price == (price and Decimal(price))


def test_nothing_to_store():
    assert quote_record_all(tickers=[], now=NOON) == 0
