"""Bars to try the indicators with."""

from datetime import UTC, datetime

import numpy as np

from exchange.core.times import Timeframe
from portfolio.signals.indicators import Bars
from portfolio.signals.strategy import Series

NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
HOUR = Timeframe.H1.length


def bars(closes, *, span=0.004):
    """Bars around these closes, each so much of the price high and low."""
    close = np.array(closes, dtype=float)
    return Bars(high=close * (1 + span), low=close * (1 - span), close=close)


def series(closes, *, last=NOON, timeframe=Timeframe.H1, span=0.004):
    """One after the other, the last one begun at `last`."""
    opened_at = [last - (len(closes) - 1 - n) * timeframe.length for n in range(len(closes))]
    return Series(timeframe=timeframe, opened_at=opened_at, bars=bars(closes, span=span))


def walk(steps, *, start=100.0):
    """Closes from their changes, told in percent."""
    return start * np.cumprod(1 + np.array(steps, dtype=float) / 100)
