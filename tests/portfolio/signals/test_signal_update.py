"""Signals are computed when a bar closes, kept as history when replaced, and never from old or short bars."""

from datetime import timedelta
from decimal import Decimal

import pytest

from exchange.core.times import Timeframe
from exchange.models import Candle
from portfolio.models import Signal
from portfolio.signals.services import HISTORY_SIZE, series_of, signals_compute, signals_delete_old
from tests.portfolio.signals.bars import HOUR, NOON, walk

pytestmark = pytest.mark.django_db
CLOSES = walk([0.1, -0.07] * 110)


def store(closes=CLOSES, *, last=NOON, name="BTC_USD", timeframe=Timeframe.H1):
    """Finished bars up to the one that began at `last`, and the unfinished one after it."""
    wanted = [*closes, closes[-1] * 2]
    first = last - (len(closes) - 1) * timeframe.length
    Candle.objects.bulk_create(
        Candle(
            instrument_name=name,
            timeframe=timeframe,
            opened_at=first + n * timeframe.length,
            open=Decimal(f"{close:.4f}"),
            high=Decimal(f"{close * 1.004:.4f}"),
            low=Decimal(f"{close * 0.996:.4f}"),
            close=Decimal(f"{close:.4f}"),
            volume=Decimal(1),
            is_closed=n < len(closes),
            read_at=last,
        )
        for n, close in enumerate(wanted)
    )


def compute(*names, now=NOON + HOUR + timedelta(minutes=2)):
    return signals_compute(instrument_names=names or ["BTC_USD"], now=now)


def latest(timeframe="1h"):
    return Signal.objects.get(timeframe=timeframe, is_latest=True)


def test_one_for_each_timeframe_and_why_where_there_is_none():
    store()
    assert compute() == 4
    assert latest().action == "HOLD"
    assert latest().candle_time == NOON
    assert set(latest().inputs) >= {"rsi_14", "ema_20", "macd", "atr_14"}
    silent = latest("4h")
    assert (silent.action, silent.score, silent.reasons) == ("", None, [{"key": "no_bars", "params": {}}])


def test_the_unfinished_bar_does_not_count():
    store()
    series = series_of("BTC_USD", Timeframe.H1)
    assert (len(series.opened_at), series.opened_at[-1]) == (220, NOON)
    assert series.bars.close[-1] == pytest.approx(CLOSES[-1], abs=1e-4)


def test_at_most_the_last_three_hundred_bars_count():
    store(walk([0.1] * 400))
    assert len(series_of("BTC_USD", Timeframe.H1).opened_at) == 300


def test_until_the_next_bar_closes_nothing_is_written():
    store()
    compute()
    before = list(Signal.objects.order_by("pk").values())
    assert compute(now=NOON + HOUR + timedelta(minutes=40)) == 0
    assert list(Signal.objects.order_by("pk").values()) == before


def test_a_new_bar_makes_a_new_signal_and_the_old_one_is_history():
    store()
    compute()
    Candle.objects.all().delete()
    store(last=NOON + HOUR)
    assert compute(now=NOON + 2 * HOUR + timedelta(minutes=2)) == 1
    assert latest().candle_time == NOON + HOUR
    assert Signal.objects.get(timeframe="1h", is_latest=False).candle_time == NOON


def test_when_the_bars_stop_coming_the_signal_ends_and_says_why():
    store()
    compute()
    compute(now=NOON + 5 * HOUR)
    assert (latest().action, latest().reasons[0]["key"]) == ("", "old")
    assert Signal.objects.filter(timeframe="1h", action="HOLD", is_latest=False).count() == 1


def test_having_had_no_signal_is_no_history():
    compute()
    store()
    compute()
    assert Signal.objects.filter(timeframe="1h").count() == 1


def test_what_is_no_longer_followed_is_no_longer_latest():
    store()
    store(name="ETH_USD")
    compute("BTC_USD", "ETH_USD")
    compute("ETH_USD")
    assert set(Signal.objects.filter(is_latest=True).values_list("instrument_name", flat=True)) == {"ETH_USD"}
    assert Signal.objects.get(instrument_name="BTC_USD").action == "HOLD"


def test_of_two_rounds_at_once_the_second_changes_nothing(monkeypatch):
    store()
    compute()
    monkeypatch.setattr("portfolio.signals.services.signals_latest", Signal.objects.none)
    compute()
    assert Signal.objects.filter(is_latest=True).count() == 4
    assert Signal.objects.count() == 4


def test_history_is_kept_for_a_while():
    store()
    compute()
    Signal.objects.filter(timeframe__in=["1h", "4h"]).update(is_latest=False)
    assert signals_delete_old(now=NOON + HISTORY_SIZE * HOUR) == 0
    assert signals_delete_old(now=NOON + (HISTORY_SIZE + 2) * HOUR) == 1
    assert set(Signal.objects.values_list("timeframe", flat=True)) == {"15m", "4h", "1D"}
