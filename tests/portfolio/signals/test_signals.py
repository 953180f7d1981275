"""BUY, SELL and HOLD, and no signal where nothing can be known."""

import json
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from exchange.core.times import Timeframe, candle_is_old, from_ms
from exchange.schemas import Candle
from portfolio.signals.indicators import MIN_BARS, Bars
from portfolio.signals.selectors import INPUT_NAMES, REASON_TEXTS, reasons_text
from portfolio.signals.strategy import Action, Series, compute_signal, count_contiguous
from tests.portfolio.signals.bars import HOUR, NOON, series, walk

SOON = NOON + HOUR + timedelta(minutes=5)
FIXTURES = Path(__file__).parents[2] / "fixtures"
NAMES = ("high", "low", "close")
WAVES = np.sin(np.arange(300) / 9)


def call(closes, *, now=SOON, **how):
    return compute_signal(series(closes, **how), now=now)


def keys(call):
    return [reason.key for reason in call.reasons]


def rising():
    """Calm for long, then a rise that gathers pace with rests between."""
    return walk([*WAVES[:270] / 10, *([0.6, -0.3, 0.5] * 10)])


def test_a_rise_that_goes_on_is_a_buy():
    said = call(rising())
    assert said.action is Action.BUY
    assert 40 < said.score <= 100
    assert {"ema_above", "macd_above"} <= set(keys(said)) or "ema_crossed_above" in keys(said)


def test_the_mirror_of_it_is_a_sell_of_the_same_strength():
    up, down = call(rising(), span=0), call(1e4 / rising(), span=0)
    assert (up.action, down.action) == (Action.BUY, Action.SELL)
    assert abs(up.score - down.score) <= 2


def test_a_quiet_sway_is_a_hold_and_says_so_first():
    said = call(walk(np.sin(np.arange(300) * 1.3) / 5))
    assert said.action is Action.HOLD
    assert said.score <= 40
    assert keys(said)[0] == "hold"


def test_a_crossing_is_told_while_it_is_news():
    told = [keys(call(walk([*[-0.2] * 200, *[0.5] * n]))) for n in range(5, 60)]
    crossed = [n for n, found in enumerate(told) if "ema_crossed_above" in found]
    assert crossed == list(range(crossed[0], crossed[0] + 5))
    assert all("ema_above" in found for found in told[crossed[-1] + 1 :])


def test_a_fall_too_fast_speaks_against_the_fall():
    said = call(walk([*[0.05, -0.04] * 140, *[-2.0] * 3]))
    assert {"rsi_low", "band_below"} <= set(keys(said))


def test_what_weighs_most_is_told_first_and_the_span_of_a_bar_last():
    assert keys(call(rising()))[-1] == "atr"


def test_its_inputs_are_plain_text():
    said = call(rising() * 1e-7)
    assert set(said.inputs) == set(INPUT_NAMES)
    assert all("e" not in value.lower() for value in said.inputs.values())
    assert float(said.inputs["close"]) == pytest.approx(float(rising()[-1] * 1e-7))


class TestSilence:
    """Nothing is said, and it is said why; HOLD is not the word for not knowing."""

    def silent(self, call, key):
        assert (call.action, call.score, call.inputs, keys(call)) == (None, None, {}, [key])
        return True

    def test_no_bars(self):
        assert self.silent(call([]), "no_bars")

    def test_too_few_bars(self):
        said = call(rising()[-MIN_BARS + 1 :])
        assert self.silent(said, "short")
        assert said.reasons[0].params == {"have": "149", "need": "150"}
        assert call(rising()[-MIN_BARS:]).action is not None

    def test_a_gap_ends_what_counts(self):
        whole = series(rising())
        moved = [when - HOUR if n < 200 else when for n, when in enumerate(whole.opened_at)]
        broken = type(whole)(timeframe=whole.timeframe, opened_at=moved, bars=whole.bars)
        assert self.silent(compute_signal(broken, now=SOON), "short")
        assert count_contiguous(moved, HOUR) == 100

    def test_old_bars(self):
        assert self.silent(call(rising(), now=NOON + 3 * HOUR), "old")

    def test_a_price_that_stands_still(self):
        assert self.silent(call([7.0] * 300, span=0), "flat")

    @pytest.mark.parametrize("price", [float("nan"), float("inf"), 0.0, -3.0])
    def test_numbers_that_cannot_be_prices(self, price):
        assert self.silent(call([*rising()[:-1], price]), "broken")


@pytest.mark.parametrize(
    ("timeframe", "minutes"), [("15m", 45), ("1h", 135), ("4h", 495), ("1D", 48 * 60 + 15)]
)
def test_a_bar_is_old_when_the_next_one_should_long_be_known(timeframe, minutes):
    last = timedelta(minutes=minutes)
    assert not candle_is_old(NOON, Timeframe(timeframe), now=NOON + last)
    assert candle_is_old(NOON, Timeframe(timeframe), now=NOON + last + timedelta(seconds=1))


def test_every_reason_has_words():
    params = {"have": "1", "need": "2", "rsi": "3.1", "percent": "0.42"}
    assert "%" not in reasons_text([{"key": key, "params": params} for key in REASON_TEXTS if key != "atr"])
    assert reasons_text([{"key": "atr", "params": params}]) == ("Average candle range (ATR): 0.42%.")


@pytest.mark.parametrize(
    ("timeframe", "action", "first"), [("1D", Action.HOLD, "hold"), ("15m", None, "flat")]
)
def test_recorded_bars_of_a_quiet_coin(timeframe, action, first):
    """Hardly traded: by day its indicators say little, by the quarter of an hour it does not move at all."""
    recorded = json.loads((FIXTURES / f"market-data/candles-{timeframe}.json").read_text())
    rows = [Candle.from_row(row) for row in recorded["result"]["data"]][:-1]
    high, low, close = (np.array([float(getattr(row, name)) for row in rows]) for name in NAMES)
    told = Series(
        timeframe=Timeframe(timeframe),
        opened_at=[from_ms(row.time_ms) for row in rows],
        bars=Bars(high=high, low=low, close=close),
    )
    said = compute_signal(told, now=told.opened_at[-1] + told.timeframe.length)
    assert (said.action, said.reasons[0].key) == (action, first)
