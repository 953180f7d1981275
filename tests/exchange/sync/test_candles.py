"""Bars are read once: three hundred at first, then only what is new, whatever fails."""

from datetime import timedelta
from itertools import pairwise

import pytest

from exchange.core.times import Timeframe, from_ms
from exchange.models import Candle
from exchange.selectors import candles_of
from exchange.sync.market_data import update_candles

pytestmark = pytest.mark.django_db


@pytest.fixture
def few(monkeypatch):
    """An answer holds thirty bars; here is noted how many each request asked for."""
    requested = []
    monkeypatch.setattr("exchange.sync.market_data.MAX_BARS_PER_REQUEST", 30)
    return requested


def read(world, *names, few=None):
    client = world.client()
    if few is not None:
        told = client.candles
        client.candles = lambda name, timeframe, **how: (
            few.append((timeframe, how["count"])) or told(name, timeframe, **how)
        )
    return update_candles(
        client=client, instrument_names=names or ["BTC_USD"], clock=lambda: from_ms(world.clock_ms)
    )


def series(timeframe, name="BTC_USD"):
    return candles_of(instrument_name=name, timeframe=timeframe, limit=1000)


def test_the_first_time_reads_three_hundred_bars_of_each_length(world):
    assert read(world).read == 4
    for timeframe in Timeframe:
        rows = series(timeframe)
        assert (len(rows), rows[-1].is_closed) == (300, False)
        assert all(after.opened_at - before.opened_at == timeframe.length for before, after in pairwise(rows))
        assert all(row.is_closed for row in rows[:-1])


def test_nothing_is_asked_for_twice(world, few):
    read(world)
    assert read(world, few=few).read == 0
    assert few == []


def test_later_only_what_is_new_is_asked_for(world, few):
    read(world)
    world.tick(3 * 3600)
    read(world, few=few)
    assert dict(few) == {"15m": 14, "1h": 5, "4h": 2, "1D": 2}
    assert len(series("1h")) == 33
    assert [row.is_closed for row in series("1h")] == [True] * 32 + [False]


def test_an_unfinished_bar_is_read_again_after_a_part_of_its_length(world, few):
    read(world)
    world.tick(300)
    read(world, few=few)
    assert [timeframe for timeframe, _ in few] == ["15m", "1h"]


def test_what_was_missed_for_too_long_stays_a_gap(world, few):
    read(world)
    world.tick(100 * 3600)
    read(world, few=few)
    assert dict(few)["1h"] == 30
    steps = {after.opened_at - before.opened_at for before, after in pairwise(series("1h"))}
    assert steps == {timedelta(hours=1), timedelta(hours=72)}
    assert sum(not row.is_closed for row in series("1h")) == 1


def test_one_instrument_that_fails_does_not_stop_the_next(world):
    summary = read(world, "NO_SUCH", "BTC_USD")
    assert (summary.read, len(summary.errors), summary.left) == (4, 4, 0)
    assert summary.errors[0].startswith("Candles of NO_SUCH (15m): ")
    assert len(series("1D")) > 0


def test_an_exchange_that_does_not_answer_is_soon_left_alone(world, few):
    world.faults.add("drop_before")
    summary = read(world, "BTC_USD", "ETH_USD", few=few)
    assert (summary.read, len(summary.errors), summary.left) == (0, 2, 6)
    assert not Candle.objects.exists()


def test_what_is_left_for_lack_of_time_comes_first_next_time(world, monkeypatch):
    read(world, "BTC_USD")
    world.tick(10)
    read(world, "ETH_USD")
    world.tick(600)
    monkeypatch.setattr("exchange.sync.market_data.UPDATE_TIMEOUT", timedelta(seconds=-1))
    hurried = read(world, "ETH_USD", "BTC_USD")
    assert (hurried.read, hurried.left) == (0, 4)
    monkeypatch.setattr("exchange.sync.market_data.UPDATE_TIMEOUT", timedelta(seconds=20))
    stored = []
    monkeypatch.setattr("exchange.sync.market_data.candle_record_all", lambda **row: stored.append(row))
    read(world, "ETH_USD", "BTC_USD")
    assert [row["instrument_name"] for row in stored] == ["BTC_USD", "BTC_USD", "ETH_USD", "ETH_USD"]


def test_bars_agree_with_each_other(world):
    read(world)
    quarters = {row.opened_at: row for row in series("15m") if row.is_closed}
    hours = [row for row in series("1h") if row.is_closed and row.opened_at in quarters][1:]
    assert hours
    for hour in hours:
        parts = [quarters[hour.opened_at + n * timedelta(minutes=15)] for n in range(4)]
        assert (hour.open, hour.close) == (parts[0].open, parts[-1].close)
        assert (hour.high, hour.low) == (max(p.high for p in parts), min(p.low for p in parts))
