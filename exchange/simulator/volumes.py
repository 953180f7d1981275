"""Traded volume as a running total that only grows, so that volumes of all timeframes add up."""

from __future__ import annotations

from decimal import Decimal

from exchange.simulator.catalogue import Market
from exchange.simulator.noise import DAY_MS, Noise

_PERIODS = (60_000, 3_600_000, DAY_MS)
_LIVELINESS = 0.1  # three times the sum over all periods must stay below 1, or the total would fall


class Volumes:
    """The recorded daily volume of each market, spread unevenly over time."""

    def __init__(self, seed: int) -> None:
        self._ripple = Noise(seed, "volume", ((period, _LIVELINESS * period) for period in _PERIODS))

    def between(self, market: Market, start_ms: int, end_ms: int) -> Decimal:
        """Base quantity traded from the first moment up to the second, on the quantity grid."""
        return (self._total(market, end_ms) - self._total(market, start_ms)) * market.qty_tick

    def _total(self, market: Market, ms: int) -> int:
        ticks_per_ms = float(market.volume / market.qty_tick) / DAY_MS
        return int((ms + self._ripple.at(ms)) * ticks_per_ms)
