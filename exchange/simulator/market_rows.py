"""Public market data as rows of the wire: instruments, tickers and candles (dossier 5.1 to 5.3)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from exchange.simulator.candles import bar, bars
from exchange.simulator.motion import Motion
from exchange.simulator.timeframes import DAY_MS

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
