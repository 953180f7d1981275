"""Valuations as rows of the wire: index and mark prices and funding rates (dossier 5.5)."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from exchange.simulator.market_rows import text
from exchange.simulator.motion import Motion
from exchange.simulator.noise import key_of, lattice
from exchange.simulator.timeframes import DAY_MS, HOUR_MS, MINUTE_MS

DEFAULT_COUNT = 25
MAX_COUNT = 300
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
    wanted = min(DEFAULT_COUNT if count is None else count, MAX_COUNT)
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
