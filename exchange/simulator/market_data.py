"""Bars of any timeframe, made of the same prices that orders trade at, so that all timeframes agree.

Candle timeframes: their names on the wire, and where their bars begin (dossier 5.3).

Public market data as rows of the wire: instruments, tickers and candles (dossier 5.1 to 5.3).

The order book as a row of the wire: invented depth around the best bid and ask (dossier 5.4).

Valuations as rows of the wire: index and mark prices and funding rates (dossier 5.5).

The market of the simulator: prices, and everything public as rows of the wire.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from exchange.simulator.markets import Market, Motion
from exchange.simulator.price_model import DAY_MS, key_of, lattice

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
MONDAY_MS = 4 * DAY_MS  # 1970-01-05
FORTNIGHT_MS = int(datetime(2019, 10, 28, tzinfo=UTC).timestamp()) * 1000


class UnknownTimeframe(ValueError):
    """A timeframe the exchange does not have; it answers 40003."""


@dataclass(frozen=True, slots=True)
class Timeframe:
    """Bars of one length; bar number n begins at `start(n)` and ends where n + 1 begins."""

    name: str
    period_ms: int
    anchor_ms: int = 0

    def number(self, ms: int) -> int:
        """The bar this moment lies in."""
        return (ms - self.anchor_ms) // self.period_ms

    def start(self, number: int) -> int:
        return self.anchor_ms + number * self.period_ms


class Month(Timeframe):
    """Calendar months in UTC."""

    def number(self, ms: int) -> int:
        moment = datetime.fromtimestamp(ms / 1000, UTC)
        return moment.year * 12 + moment.month - 1

    def start(self, number: int) -> int:
        return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30}
_HOURS = {"1h": 1, "2h": 2, "4h": 4, "6h": 6, "12h": 12, "1D": 24}
_LEGACY = {
    "M1": "1m",
    "M5": "5m",
    "M15": "15m",
    "M30": "30m",
    "H1": "1h",
    "H2": "2h",
    "H4": "4h",
    "H12": "12h",
    "D1": "1D",
    "D7": "7D",
    "D14": "14D",
}

TIMEFRAMES: dict[str, Timeframe] = {
    **{name: Timeframe(name, size * MINUTE_MS) for name, size in _MINUTES.items()},
    **{name: Timeframe(name, size * HOUR_MS) for name, size in _HOURS.items()},
    "7D": Timeframe("7D", 7 * DAY_MS, MONDAY_MS),
    "14D": Timeframe("14D", 14 * DAY_MS, FORTNIGHT_MS),
    "1M": Month("1M", 30 * DAY_MS),
}


def timeframe_named(name: str) -> Timeframe:
    """By current or legacy name; raises UnknownTimeframe."""
    try:
        return TIMEFRAMES[_LEGACY.get(name, name)]
    except KeyError:
        raise UnknownTimeframe(name) from None


DEFAULT_COUNT = 25
MAX_COUNT = 300


@dataclass(frozen=True, slots=True)
class Bar:
    start_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def bars(
    motion: Motion,
    symbol: str,
    timeframe: str,
    *,
    now_ms: int,
    count: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[Bar]:
    """Oldest first, the last one unfinished when it reaches now. `end_ms` is exclusive, `count` at most 300.

    Raises UnknownTimeframe. A count of 0 is the caller's error to answer (40004).
    """
    frame = timeframe_named(timeframe)
    newest_ms = now_ms if end_ms is None else min(now_ms, end_ms - 1)
    spans = _spans(frame, newest_ms, start_ms, DEFAULT_COUNT if count is None else min(count, MAX_COUNT))
    return [bar(motion, symbol, start, end, now_ms) for start, end in spans]


def bar(motion: Motion, symbol: str, start_ms: int, end_ms: int, now_ms: int) -> Bar:
    """One bar up to, not including, its end; one that is not over closes at the price of now."""
    until = min(end_ms, now_ms + 1)
    opened = motion.raw(symbol, start_ms)
    close = motion.before(symbol, end_ms) if end_ms <= now_ms else motion.raw(symbol, now_ms)
    high, low = motion.reach(symbol, start_ms, until)
    highest, lowest = max(opened, high, close), min(opened, low, close)
    volume = motion.volumes.between(motion.market(symbol), start_ms, until)
    return Bar(
        start_ms,
        open=motion.on_tick(symbol, opened),
        high=motion.on_tick(symbol, highest),
        low=motion.on_tick(symbol, lowest),
        close=motion.on_tick(symbol, close),
        volume=volume,
    )


def _spans(frame: Timeframe, newest_ms: int, start_ms: int | None, count: int) -> Iterator[tuple[int, int]]:
    newest = frame.number(newest_ms)
    for number in range(newest - count + 1, newest + 1):
        start = frame.start(number)
        if start_ms is None or start >= start_ms:
            yield start, frame.start(number + 1)


Row = dict[str, Any]
CENT = Decimal("0.01")
RATIO = Decimal("0.0001")


def text(number: Decimal) -> str:
    """Plain decimals, never an exponent."""
    return format(number, "f")


def instrument_rows(motion: Motion) -> list[Row]:
    """All rows of public/get-instruments, as recorded."""
    return [dict(motion.market(symbol).row) for symbol in motion.symbols]


def ticker_row(motion: Motion, symbol: str, ms: int) -> Row:
    """One row of public/get-tickers: 24 h figures are true to the candles, `oi` is the recorded one."""
    market = motion.market(symbol)
    last = motion.last(symbol, ms)
    day = bar(motion, symbol, ms - DAY_MS, ms + 1, ms)
    value = day.volume * last * motion.usd(market.quote, ms)
    return {
        "i": symbol,
        "h": text(day.high),
        "l": text(day.low),
        "a": text(last),
        "v": text(day.volume),
        "vv": text(value.quantize(CENT)),
        "c": text((last / day.open - 1).quantize(RATIO)),
        "b": text(motion.bid(symbol, ms)),
        "k": text(motion.ask(symbol, ms)),
        "oi": market.open_interest,
        "t": ms,
    }


def ticker_rows(motion: Motion, ms: int) -> list[Row]:
    return [ticker_row(motion, symbol, ms) for symbol in motion.symbols]


def candle_rows(
    motion: Motion,
    symbol: str,
    timeframe: str,
    *,
    now_ms: int,
    count: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[Row]:
    """Rows of public/get-candlestick; arguments and errors as in `candles.bars`."""
    found = bars(motion, symbol, timeframe, now_ms=now_ms, count=count, start_ms=start_ms, end_ms=end_ms)
    return [
        {
            "o": text(row.open),
            "h": text(row.high),
            "l": text(row.low),
            "c": text(row.close),
            "v": text(row.volume),
            "t": row.start_ms,
        }
        for row in found
    ]


REFRESH_MS = 1_000  # sizes stay for a second
SHARE_OF_MINUTE = 4  # a level holds up to about this many minutes of trading
MINUTES_A_DAY = DAY_MS // 60_000
MOST_ORDERS = 5
MOST_LEVELS = 150


def book_row(motion: Motion, symbol: str, ms: int, depth: int) -> dict[str, Any]:
    """`data[0]` of public/get-book: levels [price, quantity, orders], best first, and the time."""
    market = motion.market(symbol)
    bids = _levels(motion, market, ms, depth, motion.bid(symbol, ms), -market.price_tick)
    asks = _levels(motion, market, ms, depth, motion.ask(symbol, ms), market.price_tick)
    return {"bids": bids, "asks": asks, "t": ms}


def _levels(
    motion: Motion, market: Market, ms: int, depth: int, best: Decimal, step: Decimal
) -> list[list[str]]:
    key = key_of(motion.seed, "book", market.symbol, ms // REFRESH_MS, step)
    price, rows = best, []
    for level in range(min(depth, MOST_LEVELS)):
        if price <= 0:
            break
        luck = (lattice(key, level) + 1) / 2
        rows.append([text(price), text(_quantity(market, luck)), str(1 + int(luck * MOST_ORDERS))])
        price += step * (1 + int(luck * 7))
    return rows


def _quantity(market: Market, luck: float) -> Decimal:
    """On the quantity grid, never nothing."""
    typical = float(market.volume / market.qty_tick) / MINUTES_A_DAY * SHARE_OF_MINUTE
    return (1 + int(typical * luck)) * market.qty_tick


DEFAULT_VALUATION_COUNT = 25
MAX_VALUATION_COUNT = 300
FUNDING_STEP = Decimal("0.000000001")

INDEX, MARK = "index_price", "mark_price"
SETTLED, CURRENT, ESTIMATED = "funding_hist", "funding_rate", "estimated_funding_rate"
PERIODS = {
    INDEX: MINUTE_MS,
    MARK: MINUTE_MS,
    SETTLED: HOUR_MS,
    CURRENT: MINUTE_MS,
    ESTIMATED: MINUTE_MS,
}


class UnknownValuation(ValueError):
    """No such valuation type; the exchange answers 40003."""


class NotServed(ValueError):
    """This instrument has no such valuation; the exchange answers 40004."""


def valuation_rows(
    motion: Motion,
    name: str,
    valuation_type: str,
    *,
    now_ms: int,
    count: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[dict[str, Any]]:
    """Rows {v, t}, newest first, on whole minutes (funding_hist: hours).

    `name` is an index, a perpetual or a spot pair; KeyError when it is none of them.
    Raises UnknownValuation and NotServed.
    """
    if valuation_type not in PERIODS:
        raise UnknownValuation(valuation_type)
    value, period = _value(motion, name, valuation_type), PERIODS[valuation_type]
    end = now_ms + 1 if end_ms is None else min(end_ms, now_ms + 1)
    start = end - DAY_MS * (30 if valuation_type == SETTLED else 1) if start_ms is None else start_ms
    newest = (end - 1) // period * period
    wanted = min(DEFAULT_VALUATION_COUNT if count is None else count, MAX_VALUATION_COUNT)
    moments = (newest - i * period for i in range(wanted))
    return [{"v": text(value(moment)), "t": moment} for moment in moments if moment >= start]


def _value(motion: Motion, name: str, kind: str) -> Callable[[int], Decimal]:
    spot = motion.catalogue.indexes().get(name)
    if spot is not None and kind == INDEX:
        return lambda ms: motion.last(spot, ms)
    market = motion.market(name)
    if kind == MARK:
        return lambda ms: motion.mark(name, ms)
    if not market.perpetual:
        raise NotServed(name)
    if kind == INDEX:
        return lambda ms: motion.last(f"{market.base}_{market.quote}", ms)
    return lambda ms: _funding(motion, name, ms + (HOUR_MS if kind == ESTIMATED else 0))


def _funding(motion: Motion, name: str, ms: int) -> Decimal:
    """An hour's rate, within a hundredth of a per cent."""
    luck = lattice(key_of(motion.seed, "funding", name), ms // HOUR_MS)
    return int(luck * 100_000) * FUNDING_STEP


Rows = list[dict[str, Any]]


class Prices(Motion):
    """What the exchange asks of its market. See the row modules for meanings and errors."""

    def instruments_rows(self) -> Rows:
        return instrument_rows(self)

    def ticker_row(self, symbol: str, ms: int) -> dict[str, Any]:
        return ticker_row(self, symbol, ms)

    def candle_rows(
        self,
        symbol: str,
        timeframe: str,
        *,
        count: int | None,
        start_ms: int | None,
        end_ms: int | None,
        now_ms: int,
    ) -> Rows:
        return candle_rows(
            self, symbol, timeframe, count=count, start_ms=start_ms, end_ms=end_ms, now_ms=now_ms
        )

    def book(self, symbol: str, ms: int, depth: int) -> dict[str, Any]:
        return book_row(self, symbol, ms, depth)

    def valuation_rows(
        self,
        symbol: str,
        valuation_type: str,
        count: int | None,
        start_ms: int | None,
        end_ms: int | None,
        now_ms: int,
    ) -> Rows:
        return valuation_rows(
            self, symbol, valuation_type, count=count, start_ms=start_ms, end_ms=end_ms, now_ms=now_ms
        )
