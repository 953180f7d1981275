"""Reads and stores market data: candles that are not known yet, the catalogue, and current quotes.

Candles are public reads, without the lease, and never hold up a cycle.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeAlias

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, Q

from exchange import schemas
from exchange.client.client import Client
from exchange.client.errors import ExchangeError, Unreachable
from exchange.core.database import chunks, fit_to_columns
from exchange.core.instrument_names import is_derivative
from exchange.core.reasons import Sentence
from exchange.core.times import Timeframe, from_ms, to_ms
from exchange.models import Candle, Instrument, Quote
from exchange.schemas.market import SPOT
from exchange.services.lease import Lease, is_stop_requested
from exchange.sync.fetch import AccountSnapshot, Clock
from exchange.sync.read_budget import ReadBudget

MAX_BARS = 1000  # kept of each instrument and timeframe
MAX_BARS_PER_REQUEST = 300  # bars an answer holds at most (dossier 5.3)
UPDATE_TIMEOUT = timedelta(seconds=20)  # what is not read by then comes first the next time
MAX_UNANSWERED = 2  # requests in a row without any answer, and the rest is not tried
CATALOGUE_INTERVAL = timedelta(days=1)
MIN_CONFIRMATION = timedelta(seconds=10)  # between two answers that say that an instrument is another kind
REREAD_DIVISOR = (
    16  # an unfinished bar is read again after this part of its length: 56 s, 4, 15 and 90 minutes
)
CANDLE_COLUMNS = ["open", "high", "low", "close", "volume", "is_closed", "read_at"]
INSTRUMENT_COLUMNS = [
    *("inst_type", "base_ccy", "quote_ccy", "display_name", "quote_decimals", "quantity_decimals"),
    *("price_tick_size", "qty_tick_size", "tradable", "margin_buy_enabled", "margin_sell_enabled"),
    "underlying_symbol",
]
KIND_COLUMNS = ("inst_type", "base_ccy", "quote_ccy")
RULE_COLUMNS = ("price_tick_size", "qty_tick_size", "tradable")
QUOTE_COLUMNS = ["price", "change_24h", "read_at"]

Series: TypeAlias = tuple[str, Timeframe]


@dataclass(slots=True)
class CandleUpdate:
    """How one round went: answers stored, series left for the next round, and what went wrong, in words."""

    read: int = 0
    left: int = 0
    errors: list[Sentence] = field(default_factory=list)
    unanswered: int = 0

    def failed(self, name: str, timeframe: Timeframe, error: ExchangeError) -> None:
        self.unanswered = self.unanswered + 1 if isinstance(error, Unreachable) else 0
        self.errors.append(error.sentence("Candles of", name=f"{name} ({timeframe})"))


def update_candles(*, client: Client, instrument_names: Iterable[str], clock: Clock) -> CandleUpdate:
    """Bring the bars of these instruments up to date, the longest unread first; one failure stops no other."""
    summary, until = CandleUpdate(), clock() + UPDATE_TIMEOUT
    newest = _unfinished()
    for series in _due_series(newest, instrument_names, clock()):
        if summary.unanswered >= MAX_UNANSWERED or clock() > until or is_stop_requested():
            summary.left += 1
            continue
        try:
            _update_series(client, series, newest.get(series), clock())
        except ExchangeError as error:
            summary.failed(*series, error)
        else:
            summary.read, summary.unanswered = summary.read + 1, 0
    return summary


def _unfinished() -> Mapping[Series, Candle]:
    """The newest unfinished bar of each series: all before it are known, it and all after it are not."""
    rows = Candle.objects.filter(is_closed=False).order_by("opened_at")
    return {(row.instrument_name, Timeframe(row.timeframe)): row for row in rows}


def _due_series(
    newest: Mapping[Series, Candle], instrument_names: Iterable[str], now: datetime
) -> Iterator[Series]:
    all_series = [(name, timeframe) for name in dict.fromkeys(instrument_names) for timeframe in Timeframe]
    new = [series for series in all_series if series not in newest]
    known = [series for series in all_series if series in newest and _is_due(newest[series], series[1], now)]
    yield from new
    yield from sorted(known, key=lambda series: newest[series].read_at)


def _is_due(bar: Candle, timeframe: Timeframe, now: datetime) -> bool:
    is_over = now >= bar.opened_at + timeframe.length
    return is_over or now - bar.read_at >= timeframe.length / REREAD_DIVISOR


def _update_series(client: Client, series: Series, newest: Candle | None, now: datetime) -> None:
    """`end_ts` is sent because without it the exchange begins a day ago, whatever the count (dossier 5.3)."""
    name, timeframe = series
    count = MAX_BARS_PER_REQUEST if newest is None else _missing_count(newest, timeframe, now)
    end_ms = to_ms(now) + (client.clock_offset_ms or 0) + 1
    bars = client.candles(name, timeframe, count=count, end_ms=end_ms)
    candle_record_all(instrument_name=name, timeframe=timeframe, bars=bars, now=now)


def _missing_count(newest: Candle, timeframe: Timeframe, now: datetime) -> int:
    """From the unfinished bar on to the one that has begun by now, and one more: clocks differ."""
    return min(MAX_BARS_PER_REQUEST, (timeframe.bar_start(now) - newest.opened_at) // timeframe.length + 2)


def candle_record_all(
    *, instrument_name: str, timeframe: Timeframe, bars: Sequence[schemas.Candle], now: datetime
) -> int:
    """Store the bars of one answer; how many were new or changed. Every bar but the newest is final.

    A final bar is not written again. An unfinished one that the answer no longer reaches is dropped: its
    numbers would stay wrong, and a gap shows.
    """
    rows = {row.opened_at: row for row in _rows(instrument_name, timeframe, bars, now)}
    if not rows:
        return 0
    stored = Candle.objects.filter(instrument_name=instrument_name, timeframe=timeframe)
    with transaction.atomic():
        stored.filter(is_closed=False, opened_at__lt=min(rows)).delete()
        for final in stored.filter(is_closed=True, opened_at__gte=min(rows)).values_list(
            "opened_at", flat=True
        ):
            rows.pop(final, None)
        _store(list(rows.values()))
    return len(rows)


def candles_prune(*, now: datetime) -> int:
    """Drop the bars that are older than `MAX_BARS` of their length; how many."""
    old = [pk for timeframe in Timeframe for pk in _older(timeframe, now - MAX_BARS * timeframe.length)]
    for part in chunks(old):
        Candle.objects.filter(pk__in=part).delete()
    return len(old)


def _older(timeframe: Timeframe, moment: datetime) -> Iterable[int]:
    return Candle.objects.filter(timeframe=timeframe, opened_at__lt=moment).values_list("pk", flat=True)


def _rows(
    instrument_name: str, timeframe: Timeframe, bars: Sequence[schemas.Candle], now: datetime
) -> list[Candle]:
    """Bars that begin where bars of this length do."""
    newest_ms = max((bar.time_ms for bar in bars), default=0)
    return [
        Candle(
            instrument_name=instrument_name,
            timeframe=timeframe,
            opened_at=from_ms(bar.time_ms),
            open=bar.open,
            high=bar.high,
            low=bar.low,
            close=bar.close,
            volume=bar.volume,
            is_closed=bar.time_ms < newest_ms,
            read_at=now,
        )
        for bar in bars
        if timeframe.bar_start(from_ms(bar.time_ms)) == from_ms(bar.time_ms)
    ]


def _store(rows: Sequence[Candle]) -> None:
    for part in chunks(rows):
        Candle.objects.bulk_create(
            part,
            update_conflicts=True,
            unique_fields=["instrument_name", "timeframe", "opened_at"],
            update_fields=CANDLE_COLUMNS,
        )


def instruments_read_again(*, budget: ReadBudget, lease: Lease, now: datetime) -> frozenset[str]:
    """Read the catalogue at once, in one request, and store it; the names that are new or have other rules now.

    For a cycle that meets an instrument it does not know, or a refusal that speaks of its rules. Call it outside a
    transaction and at most once a cycle. An empty answer proves nothing and is not stored. Raises ExchangeError.
    """
    rows = budget.instruments()
    if not rows:
        return frozenset()
    before = {row[0]: row[1:] for row in Instrument.objects.values_list("symbol", *RULE_COLUMNS)}
    with transaction.atomic():
        lease.renew()
        instrument_record_all(instruments=rows, now=now)
    after = Instrument.objects.values_list("symbol", *RULE_COLUMNS)
    return frozenset(symbol for symbol, *rules in after if before.get(symbol) != tuple(rules))


def instrument_record_all(*, instruments: Sequence[schemas.Instrument], now: datetime) -> int:
    """Store the catalogue as read; an instrument that is gone from it stays, as not tradable.

    What an instrument is (`KIND_COLUMNS`) changes only when two answers, at least 10 s apart, agree on it. That one is
    not tradable any more counts at once, and is asked about once more.
    """
    rows = {instrument.symbol: _instrument_row(instrument, now) for instrument in instruments}
    known = Instrument.objects.in_bulk(list(rows), field_name="symbol")
    for symbol, row in rows.items():
        if symbol in known:
            row.doubted_at = now if known[symbol].tradable and not row.tradable else None
            _keep_kind(row, known[symbol], now)
            if _rules_of(row) == _rules_of(known[symbol]):
                row.rules_since = known[symbol].rules_since
    for part in chunks(list(rows.values())):
        Instrument.objects.bulk_create(
            part,
            update_conflicts=True,
            unique_fields=["symbol"],
            update_fields=[*INSTRUMENT_COLUMNS, "doubt", "doubted_at", "rules_since", "read_at"],
        )
    gone = Instrument.objects.exclude(read_at=now)
    gone.exclude(doubted_at=None).update(doubt="", doubted_at=None)
    gone.filter(tradable=True).update(tradable=False, doubted_at=now)
    return len(rows)


def _keep_kind(row: Instrument, known: Instrument, now: datetime) -> None:
    """`row` with the kind that is `known`, and what it says itself as a doubt, unless that is confirmed by now, or is
    what its name says and the known one is not.
    """
    kind, said = _kind_of(known), _kind_of(row)
    if said == kind or (_fits_name(row) and not _fits_name(known)):
        return
    doubt, doubted_at = "/".join(said), known.doubted_at
    if doubt == known.doubt and doubted_at is not None and now - doubted_at >= MIN_CONFIRMATION:
        return
    row.doubt, row.doubted_at = doubt, doubted_at if doubt == known.doubt else now
    for name, value in zip(KIND_COLUMNS, kind, strict=True):
        setattr(row, name, value)


def _kind_of(row: Instrument) -> list[str]:
    return [getattr(row, name) for name in KIND_COLUMNS]


def _rules_of(row: Instrument) -> list[Any]:
    return [getattr(row, name) for name in (*KIND_COLUMNS, *RULE_COLUMNS)]


def _fits_name(row: Instrument) -> bool:
    return (row.inst_type == SPOT) != is_derivative(row.symbol)


def catalogue_is_current(*, now: datetime) -> bool:
    """Whether it was read within a day, and nothing in it waits for a second answer."""
    doubtful = Instrument.objects.filter(doubted_at__lt=now - MIN_CONFIRMATION)
    read = Instrument.objects.filter(read_at__gt=now - CATALOGUE_INTERVAL)
    return read.exclude(Exists(doubtful)).exists()


def _instrument_row(instrument: schemas.Instrument, now: datetime) -> Instrument:
    values = {name: getattr(instrument, name) for name in INSTRUMENT_COLUMNS}
    return Instrument(
        read_at=now, rules_since=now, **fit_to_columns(Instrument, {"symbol": instrument.symbol, **values})
    )


def quote_record_all(*, tickers: Iterable[schemas.Ticker], now: datetime) -> int:
    """Store these tickers in place of those before; how many."""
    rows = {ticker.instrument_name: _quote_row(ticker, now) for ticker in tickers}
    Quote.objects.bulk_create(
        list(rows.values()),
        update_conflicts=True,
        unique_fields=["instrument_name"],
        update_fields=QUOTE_COLUMNS,
    )
    return len(rows)


def _quote_row(ticker: schemas.Ticker, now: datetime) -> Quote:
    return Quote(
        instrument_name=ticker.instrument_name,
        price=ticker.price,
        change_24h=ticker.change_24h,
        read_at=now,
    )


# What the account names and the stored catalogue does not: a market or a coin listed since it was read


def unknown_names(*, snapshot: AccountSnapshot, entries: Collection[str] = ()) -> set[str]:
    """Instruments of orders, trades and `entries`, and coins held, that are not in the catalogue.

    Derivatives are left out: they are shown by their positions.
    """
    names = (*_ordered(snapshot), *names_traded(snapshot), *entries)
    symbols = {name for name in names if not is_derivative(name)}
    coins = set(_held(snapshot)) - set(settings.CASH_CURRENCIES)
    if not symbols and not coins:
        return set()
    named = Q(symbol__in=symbols) | Q(base_ccy__in=coins) | Q(quote_ccy__in=coins)
    rows = Instrument.objects.filter(named).values_list("symbol", "base_ccy", "quote_ccy")
    known = {name for row in rows for name in row}
    return (symbols | coins) - known


def names_found(snapshot: AccountSnapshot, names: Collection[str]) -> bool:
    """Whether the catalogue that was just read contains any of `names`."""
    rows = snapshot.instruments.value if snapshot.instruments else None
    return any({row.symbol, row.base_ccy, row.quote_ccy} & set(names) for row in rows or ())


def _ordered(snapshot: AccountSnapshot) -> Iterable[str]:
    for part in snapshot.open_orders.values():
        yield from (order.instrument_name for order in part.value or ())


def names_traded(snapshot: AccountSnapshot) -> set[str]:
    """The instruments of its trades."""
    return {trade.instrument_name for trade in (snapshot.trades.value.rows if snapshot.trades.value else ())}


def _held(snapshot: AccountSnapshot) -> Iterable[str]:
    rows = snapshot.balance.value.positions if snapshot.balance.value else ()
    return (row.instrument_name for row in rows if row.quantity)
