"""Bars of any timeframe, made of the same prices that orders trade at, so that all timeframes agree."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from exchange.simulator.motion import Motion
from exchange.simulator.timeframes import Timeframe, timeframe_named

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
