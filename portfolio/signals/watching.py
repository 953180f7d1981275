"""The watchlist as shown."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from django.conf import settings

from exchange.core.utils import Timeframe
from exchange.models import Candle, Instrument, Quote
from exchange.selectors import decimals_of
from portfolio.freshness import OLD_AFTER
from portfolio.models import WatchlistItem

SPOT = "CCY_PAIR"
TREND = timedelta(hours=25)  # the hourly closes of a day


@dataclass(frozen=True, slots=True, kw_only=True)
class WatchRow:
    """One instrument: its last price and when we read it, its change in percent, its closes of a day by the hour.

    None is not known. `is_tradable` tells whether the exchange's catalogue still has it.
    """

    id: int
    instrument_name: str
    price: Decimal | None
    price_at: datetime | None
    is_old: bool
    change_24h_pct: Decimal | None
    trend: tuple[Decimal, ...]
    price_decimals: int | None
    is_tradable: bool
    note: str


def watch_rows(*, now: datetime, with_trend: bool = True) -> tuple[WatchRow, ...]:
    """In the person's order: four queries, however many rows; one less without the trend."""
    return rows_of(WatchlistItem.objects.all(), now=now, with_trend=with_trend)


def rows_of(
    listed: Iterable[WatchlistItem],
    *,
    now: datetime,
    with_trend: bool = True,
    instruments: Mapping[str, Instrument] | None = None,
    quotes: Mapping[str, Quote] | None = None,
) -> tuple[WatchRow, ...]:
    """`listed` as shown, in its order. `instruments`, by symbol, and `quotes` save a query each."""
    items = list(listed)
    names = [item.instrument_name for item in items]
    priced = quotes_of(names) if quotes is None else quotes
    pairs = instruments
    if pairs is None:
        pairs = {row.symbol: row for row in Instrument.objects.filter(symbol__in=names)}
    trends = _trends(names, now) if with_trend else {}
    return tuple(
        _row(
            item,
            priced.get(item.instrument_name),
            pairs.get(item.instrument_name),
            tuple(trends.get(item.instrument_name, ())),
            now,
        )
        for item in items
    )


def quotes_of(names: Collection[str]) -> dict[str, Quote]:
    """By instrument; for none of them no query."""
    return {row.instrument_name: row for row in Quote.objects.filter(instrument_name__in=names)}


def prices_fresh(quotes: Iterable[Quote], *, at: datetime) -> dict[str, Decimal]:
    """The last price by instrument, in its own currency, as far as it was good `at` that moment."""
    fresh = (row for row in quotes if at - row.read_at <= _lasting())
    return {row.instrument_name: row.price for row in fresh if row.price is not None}


def watchable() -> list[str]:
    """What can be put on the list: the spot pairs that can be traded, by name."""
    pairs = Instrument.objects.filter(inst_type=SPOT, tradable=True)
    return list(pairs.order_by("symbol").values_list("symbol", flat=True))


def _row(
    item: WatchlistItem,
    quote: Quote | None,
    pair: Instrument | None,
    trend: tuple[Decimal, ...],
    now: datetime,
) -> WatchRow:
    change = quote.change_24h if quote else None
    return WatchRow(
        id=item.pk,
        instrument_name=item.instrument_name,
        price=quote.price if quote else None,
        price_at=quote.read_at if quote else None,
        is_old=quote is not None and now - quote.read_at > _lasting(),
        change_24h_pct=None if change is None else change * 100,
        trend=trend,
        price_decimals=decimals_of(pair.price_tick_size) if pair else None,
        is_tradable=pair is not None and pair.tradable,
        note=item.note,
    )


def _lasting() -> timedelta:
    """How long a price is as good as new."""
    return OLD_AFTER * timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)


def _trends(names: Iterable[str], now: datetime) -> Mapping[str, list[Decimal]]:
    """The unfinished bar's close is the newest point."""
    found: dict[str, list[Decimal]] = {}
    bars = Candle.objects.filter(instrument_name__in=names, timeframe=Timeframe.H1, opened_at__gt=now - TREND)
    for name, close in bars.order_by("opened_at").values_list("instrument_name", "close"):
        found.setdefault(name, []).append(close)
    return found
