"""The rate in dollars of trades that were stored without it, of the exchange's tickers or candles.

At the end of a cycle a trade of the last two minutes has the rate of its tickers. Others wait for a few requests: each
reads 300 bars of five minutes, the newest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal

from exchange.client.client import Client
from exchange.core.times import NS_PER_MS
from exchange.models import Instrument, Trade
from exchange.services.lease import Lease
from exchange.sync.trades import UsdRates, no_rates, rate_trade
from portfolio.accounting.services import entries_rate
from portfolio.accounting.valuation import BRIDGES, ONE, USD, Prices, price_usd
from portfolio.models import CostCursor

FRESH_NS = timedelta(minutes=2) // timedelta(microseconds=1) * 1000
"""Tickers are the rate of a trade no longer ago than this."""
BARS = "5m"
BAR_MS = timedelta(minutes=5) // timedelta(milliseconds=1)
MAX_BARS = 300
MAX_REQUESTS = 2  # in one cycle
BATCH_SIZE = 500


def current_rates(prices: Prices, *, now_ns: int) -> UsdRates:
    """The rates of tickers read at `now_ns` (exchange time), for trades of the last two minutes."""

    def rate(currency: str, at_ns: int) -> Decimal | None:
        return price_usd(currency, prices) if abs(now_ns - at_ns) <= FRESH_NS else None

    return rate


def trade_rates_update(
    *, client: Client, cursor: CostCursor, lease: Lease, rates: UsdRates = no_rates
) -> bool:
    """Rate stored trades, by the present `rates` where these are near, and enter them again. At most two requests.

    Returns whether an entry has changed.

    A currency without a pair, or without a bar at that time, has no known rate: such a trade is not tried again.
    """
    if not cursor.rates_due:
        return False
    trades = list(Trade.objects.filter(is_rated=False).order_by("-create_time_ns")[:BATCH_SIZE])
    if not trades:
        cursor.rates_due = False
        cursor.save(update_fields=["rates_due"])
        return False
    bars = PastRates(client, rates)
    rated = [trade for trade in trades if _rate(trade, bars)]
    if rated:
        entries_rate(trades=rated, cursor=cursor, lease=lease)
    return bool(rated)


def _rate(trade: Trade, bars: "PastRates") -> bool:
    bars.is_pending = False
    rate_trade(trade, bars.rate)
    if bars.is_pending:
        return False
    trade.is_rated = True
    return True


@dataclass(frozen=True, slots=True)
class _Bars:
    """The closing prices of one pair in [from_ms, until_ms), by the start of their bar."""

    from_ms: int
    until_ms: int
    closes: dict[int, Decimal]

    def close_at(self, start_ms: int) -> Decimal | None:
        """Of that bar; in a time without trades of the last one before it."""
        starts = [one for one in self.closes if one <= start_ms]
        return self.closes[max(starts)] if starts else None


@dataclass(slots=True)
class PastRates:
    """Rates from candles, read when they are needed. `is_pending`: one was asked for that the next cycle must read."""

    client: Client
    present: UsdRates
    is_pending: bool = False
    _requests: int = 0
    _bars: dict[str, list[_Bars]] = field(default_factory=dict)
    _pairs: dict[str, Sequence[tuple[str, str]]] = field(default_factory=dict)

    def rate(self, currency: str, at_ns: int) -> Decimal | None:
        present = self.present(currency, at_ns)
        if present is not None:
            return present
        start = at_ns // NS_PER_MS // BAR_MS * BAR_MS
        for pair, quote in self._pairs_of(currency):
            close = self._close(pair, start)
            if close is not None:
                bridge = ONE if quote == USD else self._close(f"{quote}_{USD}", start)
                return None if bridge is None else close * bridge
        return None

    def _pairs_of(self, currency: str) -> Sequence[tuple[str, str]]:
        if currency not in self._pairs:
            wanted = {f"{currency}_{quote}": quote for quote in (USD, *BRIDGES) if quote != currency}
            known = set(Instrument.objects.filter(symbol__in=wanted).values_list("symbol", flat=True))
            self._pairs[currency] = [(pair, quote) for pair, quote in wanted.items() if pair in known]
        return self._pairs[currency]

    def _close(self, pair: str, start_ms: int) -> Decimal | None:
        for part in self._bars.get(pair, ()):
            if part.from_ms <= start_ms < part.until_ms:
                return part.close_at(start_ms)
        if self._requests >= MAX_REQUESTS:
            self.is_pending = True
            return None
        self._requests += 1
        part = self._read(pair, start_ms + BAR_MS)
        self._bars.setdefault(pair, []).append(part)
        return part.close_at(start_ms)

    def _read(self, pair: str, until_ms: int) -> _Bars:
        from_ms = until_ms - MAX_BARS * BAR_MS
        bars = self.client.candles(pair, BARS, count=MAX_BARS, start_ms=from_ms, end_ms=until_ms)
        return _Bars(from_ms, until_ms, {bar.time_ms: bar.close for bar in bars if bar.close > 0})
