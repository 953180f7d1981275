"""TA-Lib is asked the right questions: the same numbers come out of the textbook's own arithmetic."""

from statistics import fmean, pstdev

import numpy as np
import pytest

from portfolio.signals.indicators import Bars, are_valid, compute_indicators
from tests.portfolio.signals.bars import bars, walk

CLOSES = walk(np.sin(np.arange(300) / 9) + np.cos(np.arange(300) / 3.7) / 2)

UNIT = np.ptp(CLOSES[-50:])


def average(values, length):
    """An exponential average that begins with the plain one of its first `length` values."""
    found = fmean(values[:length])
    line = [found]
    for value in values[length:]:
        found += (value - found) * 2 / (length + 1)
        line.append(found)
    return line


def smoothed(values, length):
    """Wilder's average."""
    found = fmean(values[:length])
    for value in values[length:]:
        found = (found * (length - 1) + value) / length
    return found


@pytest.fixture
def found():
    return compute_indicators(bars(CLOSES))


@pytest.fixture
def told():
    """The closes as distances from the last one, in units of their range over fifty bars."""
    return [float(close) for close in (CLOSES - CLOSES[-1]) / UNIT]


def test_averages(found, told):
    assert found.fast == pytest.approx(average(told, 20)[-1])
    assert found.slow == pytest.approx(average(told, 50)[-1])
    gaps = np.array(average(told, 20)[-6:]) - np.array(average(told, 50)[-6:])
    assert found.gaps == pytest.approx(gaps)


def test_macd(found, told):
    """Both averages begin with the twenty-sixth bar, as TA-Lib has it."""
    fast, slow = average(told[14:], 12), average(told, 26)
    line = [a - b for a, b in zip(fast, slow, strict=True)]
    assert found.macd == pytest.approx(line[-1])
    assert found.macd_signal == pytest.approx(average(line, 9)[-1])


def test_bands(found, told):
    middle, width = fmean(told[-20:]), pstdev(told[-20:])
    assert (found.lower, found.middle, found.upper) == pytest.approx(
        (middle - 2 * width, middle, middle + 2 * width)
    )


def test_rsi(found, told):
    moves = np.diff(told)
    up, down = smoothed(np.maximum(moves, 0), 14), smoothed(np.maximum(-moves, 0), 14)
    assert found.rsi == pytest.approx(100 * up / (up + down))


def test_atr(found):
    close = CLOSES / UNIT
    high, low, before = close[1:] * 1.004, close[1:] * 0.996, close[:-1]
    spans = np.max([high - low, abs(high - before), abs(low - before)], axis=0)
    assert found.atr == pytest.approx(smoothed(spans, 14))


def test_a_coin_of_a_millionth_has_bands():
    tiny = compute_indicators(bars(CLOSES * 1e-9))
    assert (tiny.lower, tiny.upper) == pytest.approx((compute_indicators(bars(CLOSES)).lower, tiny.upper))
    assert tiny.upper > tiny.lower


def test_a_coin_that_hardly_moves_has_bands():
    """A dollar coin moves by a ten-thousandth; all the more would TA-Lib take a millionth of it for nothing."""
    calm = compute_indicators(bars(1 + (CLOSES - CLOSES[-1]) * 1e-6, span=1e-6))
    assert (calm.lower, calm.upper) == pytest.approx(
        (compute_indicators(bars(CLOSES)).lower, compute_indicators(bars(CLOSES)).upper), rel=1e-6
    )


def test_a_price_that_stands_still_says_nothing():
    assert compute_indicators(bars([5.0] * 300, span=0)) is None
    assert compute_indicators(bars([*CLOSES, *[CLOSES[-1]] * 60])) is None


def test_a_price_beyond_what_floats_can_tell_says_nothing():
    assert compute_indicators(bars([1e300] * 299 + [1e-300])) is None
    assert compute_indicators(bars([1e308] * 200 + [1e-10, 2e-10] * 50)) is None


@pytest.mark.parametrize(
    "broken",
    [
        {"close": [float("nan")]},
        {"high": [float("inf")]},
        {"low": [0.0]},
        {"low": [-1.0]},
        {"close": [3.0]},
        {"high": [1.0], "low": [2.0]},
    ],
)
def test_numbers_that_cannot_be_prices_are_not_sound(broken):
    whole = {"high": [2.5], "low": [1.5], "close": [2.0]}
    rows = {name: np.array(values) for name, values in (whole | broken).items()}
    assert are_valid(Bars(**{name: np.array(values) for name, values in whole.items()}))
    assert not are_valid(Bars(**rows))
