"""Keeps the exchange's catalogue."""

from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime

from exchange import schemas
from exchange.core.utils import chunks, fitting
from exchange.models import Instrument

COLUMNS = [
    *("inst_type", "base_ccy", "quote_ccy", "display_name", "quote_decimals", "quantity_decimals"),
    *("price_tick_size", "qty_tick_size", "tradable", "margin_buy_enabled", "margin_sell_enabled"),
    "underlying_symbol",
]


def instrument_record_all(*, instruments: Sequence[schemas.Instrument], now: datetime) -> int:
    """Store the catalogue as read; an instrument that is gone from it stays, as not tradable."""
    rows = list({instrument.symbol: _row(instrument, now) for instrument in instruments}.values())
    for part in chunks(rows):
        Instrument.objects.bulk_create(
            part, update_conflicts=True, unique_fields=["symbol"], update_fields=[*COLUMNS, "read_at"]
        )
    Instrument.objects.exclude(read_at=now).filter(tradable=True).update(tradable=False)
    return len(rows)


def _row(instrument: schemas.Instrument, now: datetime) -> Instrument:
    values = {f.name: getattr(instrument, f.name) for f in fields(instrument) if f.name in COLUMNS}
    return Instrument(read_at=now, **fitting(Instrument, {"symbol": instrument.symbol, **values}))
