"""Bars agree with each other, with the price of now, and with the exchange's calendar."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from exchange.simulator.market_data import (
    DAY_MS,
    HOUR_MS,
    MINUTE_MS,
    TIMEFRAMES,
    Prices,
    UnknownTimeframe,
    bars,
)

NOW = 1_795_000_123_456
PRICES = Prices(seed=7, origin_ms=NOW - 100_000)
NESTED = [
    ("1m", "5m"),
    ("5m", "15m"),
    ("15m", "1h"),
    ("1h", "4h"),
    ("1h", "6h"),
    ("4h", "12h"),
    ("12h", "1D"),
]


def moment(ms: int) -> datetime:
    return datetime.fromtimestamp(ms / 1000, UTC)


@pytest.mark.parametrize("symbol", ["BTC_USD", "SHIB_USD", "ETHUSD-PERP"])
@pytest.mark.parametrize(("short", "long"), NESTED)
def test_a_long_bar_is_exactly_the_short_bars_in_it(symbol: str, short: str, long: str) -> None:
    whole = bars(PRICES, symbol, long, now_ms=NOW, count=4)[1]
    inner = [b for b in bars(PRICES, symbol, short, now_ms=NOW, count=300) if b.start_ms >= whole.start_ms]
    parts = inner[: TIMEFRAMES[long].period_ms // TIMEFRAMES[short].period_ms]
    assert whole.open == parts[0].open
    assert whole.close == parts[-1].close
    assert whole.high == max(part.high for part in parts)
    assert whole.low == min(part.low for part in parts)
    assert whole.volume == sum(part.volume for part in parts)


@pytest.mark.parametrize("timeframe", TIMEFRAMES)
def test_three_hundred_bars_end_with_the_price_of_now(timeframe: str) -> None:
    found = bars(PRICES, "ETH_BTC", timeframe, now_ms=NOW, count=300)
    assert len(found) == 300
    assert found[-1].close == PRICES.last("ETH_BTC", NOW)
    assert [bar.start_ms for bar in found] == sorted({bar.start_ms for bar in found})
    assert all(bar.low <= min(bar.open, bar.close) <= max(bar.open, bar.close) <= bar.high for bar in found)
    assert sum(bar.volume for bar in found) > 0


def test_a_bar_opens_where_the_price_was() -> None:
    bar = bars(PRICES, "SOL_USD", "1h", now_ms=NOW, count=2)[0]
    assert bar.open == PRICES.last("SOL_USD", bar.start_ms)
    end = bar.start_ms + HOUR_MS
    assert abs(bar.close - PRICES.last("SOL_USD", end - 1)) <= PRICES.market("SOL_USD").price_tick
    assert bar.close == bars(PRICES, "SOL_USD", "1h", now_ms=NOW, count=1)[0].open


def test_a_price_override_shows_in_the_bar_it_happens_in() -> None:
    market = Prices(seed=7, origin_ms=NOW, volatility=0)
    market.set_price("BTC_USD", NOW + 1_000, Decimal(50_000))
    market.set_price("BTC_USD", NOW + 2_000, Decimal(70_000))
    bar = bars(market, "BTC_USD", "1D", now_ms=NOW + 3_000, count=1)[0]
    assert (bar.open, bar.low, bar.high, bar.close) == (Decimal("62841.92"), 50_000, 70_000, 70_000)


def test_at_high_speed_bars_still_agree() -> None:
    market = Prices(seed=7, origin_ms=NOW, speed=97)
    now = NOW + HOUR_MS
    whole = bars(market, "BTC_USD", "5m", now_ms=now, count=3)[1]
    parts = [b for b in bars(market, "BTC_USD", "1m", now_ms=now) if b.start_ms >= whole.start_ms][:5]
    assert whole.high == max(part.high for part in parts)
    assert whole.low == min(part.low for part in parts)


def test_bars_begin_where_the_exchange_begins_them() -> None:
    week, fortnight, month = (
        bars(PRICES, "BTC_USD", name, now_ms=NOW, count=3)[0].start_ms for name in ("7D", "14D", "1M")
    )
    assert (moment(week).weekday(), week % DAY_MS) == (0, 0)
    assert (moment(fortnight) - datetime(2019, 10, 28, tzinfo=UTC)).days % 14 == 0
    assert (moment(month).day, month % DAY_MS) == (1, 0)


def test_the_end_is_exclusive() -> None:
    bar_time = NOW // MINUTE_MS * MINUTE_MS - 5 * MINUTE_MS
    newest = lambda end: bars(PRICES, "BTC_USD", "1m", now_ms=NOW, end_ms=end)[-1].start_ms  # noqa: E731
    assert newest(bar_time) == bar_time - MINUTE_MS
    assert newest(bar_time + 999) == bar_time


def test_there_are_25_bars_by_default_and_300_at_most() -> None:
    assert len(bars(PRICES, "BTC_USD", "1m", now_ms=NOW)) == 25
    assert len(bars(PRICES, "BTC_USD", "1m", now_ms=NOW, count=5_000)) == 300


def test_the_start_is_inclusive_and_the_future_is_empty() -> None:
    start = NOW // MINUTE_MS * MINUTE_MS - 3 * MINUTE_MS
    found = bars(PRICES, "BTC_USD", "1m", now_ms=NOW, start_ms=start, end_ms=NOW + DAY_MS)
    assert [bar.start_ms for bar in found] == [start + i * MINUTE_MS for i in range(4)]


def test_old_names_still_work_and_others_do_not() -> None:
    assert bars(PRICES, "BTC_USD", "H4", now_ms=NOW) == bars(PRICES, "BTC_USD", "4h", now_ms=NOW)
    with pytest.raises(UnknownTimeframe):
        bars(PRICES, "BTC_USD", "3m", now_ms=NOW)
