"""Keeps what the instruments that somebody looks at cost now."""

from collections.abc import Iterable
from datetime import datetime

from exchange import schemas
from exchange.models import Quote

COLUMNS = ["price", "change_24h", "read_at"]


def quote_record_all(*, tickers: Iterable[schemas.Ticker], now: datetime) -> int:
    """Store these tickers in place of those before; how many."""
    rows = {ticker.instrument_name: _row(ticker, now) for ticker in tickers}
    Quote.objects.bulk_create(
        list(rows.values()),
        update_conflicts=True,
        unique_fields=["instrument_name"],
        update_fields=COLUMNS,
    )
    return len(rows)


def _row(ticker: schemas.Ticker, now: datetime) -> Quote:
    return Quote(
        instrument_name=ticker.instrument_name,
        price=ticker.price,
        change_24h=ticker.change_24h,
        read_at=now,
    )
