"""Candle timeframes: their names on the wire, and where their bars begin (dossier 5.3)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
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
