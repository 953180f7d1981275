"""Bars are kept once, and only those that the exchange has finished are final."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from exchange.core.times import Timeframe, to_ms
from exchange.models import Candle
from exchange.schemas import Candle as Told
from exchange.selectors import candles_of
from exchange.sync.market_data import candle_record_all, candles_prune

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 8, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def told(hour, close="100.10", **changes):
    row = {
        "t": to_ms(NOON + hour * HOUR),
        "o": "100.00",
        "h": "101.50",
        "l": "99.50",
        "c": close,
        "v": "7.20",
    }
    return Told.from_row(row | changes)


def record(*bars, name="BTC_USD", timeframe=Timeframe.H1, now=NOON):
    return candle_record_all(instrument_name=name, timeframe=timeframe, bars=bars, now=now)


def kept(limit=10, name="BTC_USD"):
    return candles_of(instrument_name=name, timeframe="1h", limit=limit)


def test_bars_are_read_back_exactly_and_oldest_first():
    record(told(1), told(0, close="0.000000123400"))
    assert [row.opened_at for row in kept()] == [NOON, NOON + HOUR]
    assert kept()[0].close.as_tuple() == Decimal("0.000000123400").as_tuple()
    assert (kept()[0].high, kept()[0].volume) == (Decimal("101.50"), Decimal("7.20"))


def test_all_but_the_newest_are_final():
    record(told(0), told(1), told(2))
    assert [row.is_closed for row in kept()] == [True, True, False]


def test_the_unfinished_bar_is_overwritten_and_a_final_one_is_not():
    record(told(0), told(1, close="5"))
    record(told(0, close="77"), told(1, close="6"), told(2, close="7"))
    assert [(row.close, row.is_closed) for row in kept()] == [
        (Decimal("100.10"), True),
        (Decimal(6), True),
        (Decimal(7), False),
    ]


def test_a_late_answer_does_not_reopen_a_bar():
    record(told(0), told(1, close="6"), told(2))
    record(told(0), told(1, close="5"))
    assert [(row.close, row.is_closed) for row in kept()][1] == (Decimal(6), True)


def test_an_unfinished_bar_that_can_no_longer_be_finished_is_a_gap():
    record(told(0), told(1, close="5"))
    record(told(500), told(501))
    assert [row.opened_at for row in kept()] == [NOON, NOON + 500 * HOUR, NOON + 501 * HOUR]


def test_only_the_newest_are_given():
    record(*(told(hour) for hour in range(20)))
    assert [row.opened_at for row in kept(limit=2)] == [NOON + 18 * HOUR, NOON + 19 * HOUR]


def test_instruments_and_timeframes_are_kept_apart():
    record(told(0), told(4), timeframe=Timeframe.H4)
    record(told(0), name="ETH_USD")
    assert kept() == ()
    assert len(kept(name="ETH_USD")) == 1


def test_a_bar_that_begins_at_no_hour_is_left_out():
    assert record(told(0), told(1, t=to_ms(NOON) + 1)) == 1


def test_no_bars_are_no_news():
    record(told(0))
    assert record() == 0
    assert len(kept()) == 1


def test_a_thousand_bars_of_each_length_are_kept():
    record(told(-1001), told(-999), told(0))
    record(told(-4 * 999), timeframe=Timeframe.H4)
    assert candles_prune(now=NOON) == 1
    assert Candle.objects.count() == 3


def test_one_query_however_many(django_assert_num_queries):
    record(*(told(hour) for hour in range(300)))
    with django_assert_num_queries(1):
        assert len(kept(limit=300)) == 300
