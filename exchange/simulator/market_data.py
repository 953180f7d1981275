"""Public market data as rows of the wire (dossier 5.1 to 5.5), made of the same prices that orders trade at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal

from exchange.simulator.instruments import decimal_text
from exchange.simulator.markets import Market, PriceProcess
from exchange.simulator.models import Row
from exchange.simulator.price_model import DAY_MS, HOUR_MS, MINUTE_MS, cached_cell_noise, noise_key

MONDAY_MS = 4 * DAY_MS  # 1970-01-05
FORTNIGHT_MS = int(datetime(2019, 10, 28, tzinfo=UTC).timestamp()) * 1000
MAX_COUNT = 300  # candles and valuations in one answer
DEFAULT_COUNT = 25
CENT = Decimal("0.01")
RATIO = Decimal("0.0001")
FUNDING_STEP = Decimal("0.000000001")
REFRESH_MS = 1_000  # sizes stay for a second
MINUTES_PER_LEVEL = 4  # a level holds up to about this many minutes of trading
MINUTES_A_DAY = DAY_MS // MINUTE_MS
MAX_ORDERS_PER_LEVEL = 5
MAX_LEVELS = 150
INDEX, MARK = "index_price", "mark_price"
SETTLED, CURRENT, ESTIMATED = "funding_hist", "funding_rate", "estimated_funding_rate"
VALUATION_PERIODS = {
    INDEX: MINUTE_MS,
    MARK: MINUTE_MS,
    SETTLED: HOUR_MS,
    CURRENT: MINUTE_MS,
    ESTIMATED: MINUTE_MS,
}


class UnknownTimeframe(ValueError):
    """The exchange answers 40003."""


class UnknownValuation(ValueError):
    """The exchange answers 40003."""


class ValuationNotAvailable(ValueError):
    """This instrument has no such valuation; the exchange answers 40004."""


class Prices(PriceProcess):
    """The price feed of the exchange (instruments.Feed): prices, and rows made of them."""

    def instruments_rows(self) -> list[Row]:
        return instrument_rows(self)

    def ticker_row(self, symbol: str, ms: int) -> Row:
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
    ) -> list[Row]:
        return candle_rows(
            self, symbol, timeframe, count=count, start_ms=start_ms, end_ms=end_ms, now_ms=now_ms
        )

    def book(self, symbol: str, ms: int, depth: int) -> Row:
        return book_row(self, symbol, ms, depth)

    def valuation_rows(
        self,
        symbol: str,
        valuation_type: str,
        count: int | None,
        start_ms: int | None,
        end_ms: int | None,
        now_ms: int,
    ) -> list[Row]:
        return valuation_rows(
            self, symbol, valuation_type, count=count, start_ms=start_ms, end_ms=end_ms, now_ms=now_ms
        )


# Timeframes


@dataclass(frozen=True, slots=True)
class Timeframe:
    """Bars of one length (dossier 5.3); bar number n begins at `start(n)` and ends where n + 1 begins."""

    name: str
    period_ms: int
    anchor_ms: int = 0

    def number(self, ms: int) -> int:
        return (ms - self.anchor_ms) // self.period_ms

    def start(self, number: int) -> int:
        return self.anchor_ms + number * self.period_ms


class MonthTimeframe(Timeframe):
    """Calendar months in UTC."""

    def number(self, ms: int) -> int:
        moment = datetime.fromtimestamp(ms / 1000, UTC)
        return moment.year * 12 + moment.month - 1

    def start(self, number: int) -> int:
        return int(datetime(number // 12, number % 12 + 1, 1, tzinfo=UTC).timestamp()) * 1000


_MINUTES = {"1m": 1, "5m": 5, "15m": 15, "30m": 30}
_HOURS = {"1h": 1, "2h": 2, "4h": 4, "6h": 6, "12h": 12, "1D": 24}
LEGACY_NAMES = {
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
    "1M": MonthTimeframe("1M", 30 * DAY_MS),
}


def find_timeframe(name: str) -> Timeframe:
    """By current or legacy name; raises UnknownTimeframe."""
    try:
        return TIMEFRAMES[LEGACY_NAMES.get(name, name)]
    except KeyError:
        raise UnknownTimeframe(name) from None


# Candles


@dataclass(frozen=True, slots=True)
class Bar:
    start_ms: int
    open: Decimal
    high: Decimal
    low: Decimal
    close: Decimal
    volume: Decimal


def bars(
    prices: PriceProcess,
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
    frame = find_timeframe(timeframe)
    newest_ms = now_ms if end_ms is None else min(now_ms, end_ms - 1)
    windows = _time_windows(
        frame, newest_ms, start_ms, DEFAULT_COUNT if count is None else min(count, MAX_COUNT)
    )
    return [bar(prices, symbol, start, end, now_ms) for start, end in windows]


def bar(prices: PriceProcess, symbol: str, start_ms: int, end_ms: int, now_ms: int) -> Bar:
    """One bar up to, not including, its end; one that is not over closes at the price of now."""
    until = min(end_ms, now_ms + 1)
    opened = prices.raw(symbol, start_ms)
    close = prices.raw_before(symbol, end_ms) if end_ms <= now_ms else prices.raw(symbol, now_ms)
    high, low = prices.high_low(symbol, start_ms, until)
    highest, lowest = max(opened, high, close), min(opened, low, close)
    volume = prices.volumes.between(prices.market(symbol), start_ms, until)
    return Bar(
        start_ms,
        open=prices.round_to_tick(symbol, opened),
        high=prices.round_to_tick(symbol, highest),
        low=prices.round_to_tick(symbol, lowest),
        close=prices.round_to_tick(symbol, close),
        volume=volume,
    )


def _time_windows(
    frame: Timeframe, newest_ms: int, start_ms: int | None, count: int
) -> Iterator[tuple[int, int]]:
    newest = frame.number(newest_ms)
    for number in range(newest - count + 1, newest + 1):
        start = frame.start(number)
        if start_ms is None or start >= start_ms:
            yield start, frame.start(number + 1)


def candle_rows(
    prices: PriceProcess,
    symbol: str,
    timeframe: str,
    *,
    now_ms: int,
    count: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[Row]:
    """Rows of public/get-candlestick; arguments and errors as in `bars`."""
    found = bars(prices, symbol, timeframe, now_ms=now_ms, count=count, start_ms=start_ms, end_ms=end_ms)
    return [
        {
            "o": decimal_text(row.open),
            "h": decimal_text(row.high),
            "l": decimal_text(row.low),
            "c": decimal_text(row.close),
            "v": decimal_text(row.volume),
            "t": row.start_ms,
        }
        for row in found
    ]


# Instruments and tickers


def instrument_rows(prices: PriceProcess) -> list[Row]:
    return [dict(prices.market(symbol).row) for symbol in prices.symbols]


def ticker_row(prices: PriceProcess, symbol: str, ms: int) -> Row:
    """One row of public/get-tickers: the 24 h values agree with the candles, `oi` is the recorded one."""
    market = prices.market(symbol)
    last = prices.last(symbol, ms)
    day = bar(prices, symbol, ms - DAY_MS, ms + 1, ms)
    value = day.volume * last * prices.usd(market.quote, ms)
    return {
        "i": symbol,
        "h": decimal_text(day.high),
        "l": decimal_text(day.low),
        "a": decimal_text(last),
        "v": decimal_text(day.volume),
        "vv": decimal_text(value.quantize(CENT)),
        "c": decimal_text((last / day.open - 1).quantize(RATIO)),
        "b": decimal_text(prices.bid(symbol, ms)),
        "k": decimal_text(prices.ask(symbol, ms)),
        "oi": market.open_interest,
        "t": ms,
    }


# Order book


def book_row(prices: PriceProcess, symbol: str, ms: int, depth: int) -> Row:
    """`data[0]` of public/get-book: levels [price, quantity, orders], best first, and the time."""
    market = prices.market(symbol)
    bids = _levels(prices, market, ms, depth, prices.bid(symbol, ms), -market.price_tick)
    asks = _levels(prices, market, ms, depth, prices.ask(symbol, ms), market.price_tick)
    return {"bids": bids, "asks": asks, "t": ms}


def _levels(
    prices: PriceProcess, market: Market, ms: int, depth: int, best: Decimal, step: Decimal
) -> list[list[str]]:
    key = noise_key(prices.seed, "book", market.symbol, ms // REFRESH_MS, step)
    price, rows = best, []
    for level in range(min(depth, MAX_LEVELS)):
        if price <= 0:
            break
        draw = (cached_cell_noise(key, level) + 1) / 2
        rows.append(
            [
                decimal_text(price),
                decimal_text(_quantity(market, draw)),
                str(1 + int(draw * MAX_ORDERS_PER_LEVEL)),
            ]
        )
        price += step * (1 + int(draw * 7))
    return rows


def _quantity(market: Market, draw: float) -> Decimal:
    """On the quantity grid, at least one step."""
    typical = float(market.volume / market.qty_tick) / MINUTES_A_DAY * MINUTES_PER_LEVEL
    return (1 + int(typical * draw)) * market.qty_tick


# Valuations


def valuation_rows(
    prices: PriceProcess,
    name: str,
    valuation_type: str,
    *,
    now_ms: int,
    count: int | None = None,
    start_ms: int | None = None,
    end_ms: int | None = None,
) -> list[Row]:
    """Rows {v, t}, newest first, on whole minutes (funding_hist: hours).

    `name` is an index, a perpetual or a spot pair; KeyError when it is none of them.
    Raises UnknownValuation and ValuationNotAvailable.
    """
    if valuation_type not in VALUATION_PERIODS:
        raise UnknownValuation(valuation_type)
    value, period = _value(prices, name, valuation_type), VALUATION_PERIODS[valuation_type]
    end = now_ms + 1 if end_ms is None else min(end_ms, now_ms + 1)
    start = end - DAY_MS * (30 if valuation_type == SETTLED else 1) if start_ms is None else start_ms
    newest = (end - 1) // period * period
    row_count = min(DEFAULT_COUNT if count is None else count, MAX_COUNT)
    moments = (newest - i * period for i in range(row_count))
    return [{"v": decimal_text(value(moment)), "t": moment} for moment in moments if moment >= start]


def _value(prices: PriceProcess, name: str, kind: str) -> Callable[[int], Decimal]:
    spot = prices.catalogue.indexes().get(name)
    if spot is not None and kind == INDEX:
        return lambda ms: prices.last(spot, ms)
    market = prices.market(name)
    if kind == MARK:
        return lambda ms: prices.mark(name, ms)
    if not market.is_perpetual:
        raise ValuationNotAvailable(name)
    if kind == INDEX:
        return lambda ms: prices.last(f"{market.base}_{market.quote}", ms)
    return lambda ms: _funding(prices, name, ms + (HOUR_MS if kind == ESTIMATED else 0))


def _funding(prices: PriceProcess, name: str, ms: int) -> Decimal:
    """An hour's rate, within a hundredth of a per cent."""
    draw = cached_cell_noise(noise_key(prices.seed, "funding", name), ms // HOUR_MS)
    return int(draw * 100_000) * FUNDING_STEP
