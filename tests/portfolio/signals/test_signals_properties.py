"""Whatever the market does: no crash, no signal out of nothing, and the unit of the price does not matter."""

from datetime import timedelta

import numpy as np
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from exchange.core.times import Timeframe
from portfolio.signals.indicators import Bars, compute_indicators
from portfolio.signals.selectors import reasons_text
from portfolio.signals.strategy import ACTION_THRESHOLD, Action, Series, compute_signal, compute_votes
from tests.portfolio.signals.bars import NOON, bars, series, walk

LEG = st.tuples(st.integers(1, 40), st.floats(-3, 3), st.floats(-3, 3))


def steps_of(legs):
    """At least 160 changes in percent: each leg is so many bars of one change and another, in turn."""
    told = [step for count, one, other in legs for step in (one, other) * count]
    return (told * 160)[: max(160, len(told))]


STEPS = st.lists(LEG, min_size=1, max_size=8).map(steps_of)
SCALES = st.sampled_from([1e-9, 3e-5, 0.1, 7.0, 1e4, 123456.789])
WAVES = np.sin(np.arange(200) / 7)
ANY_FLOAT = st.floats(width=64)


def said(closes):
    return compute_signal(series(closes), now=NOON + timedelta(hours=1))


@settings(deadline=None)
@given(STEPS, SCALES)
def test_the_unit_of_the_price_does_not_matter(steps, scale):
    one, other = said(walk(steps)), said(walk(steps) * scale)
    assert (one.action, one.score, one.reasons) == (other.action, other.score, other.reasons)
    assert one.inputs.get("rsi_14") == other.inputs.get("rsi_14")


@settings(deadline=None)
@given(STEPS)
def test_the_mirror_image_says_the_opposite(steps):
    """Turned about the last close (far from zero), every distance from it turns too: averages, RSI and bands."""
    away = walk(steps) - walk(steps)[-1]
    span = np.ptp(away) / 100
    up, down = (
        compute_indicators(Bars(high=close + span, low=close - span, close=close))
        for close in (10 * np.ptp(away) + away, 10 * np.ptp(away) - away)
    )
    assume(up and down)
    leans = [sum(vote.weight * vote.value for vote in compute_votes(found)) for found in (up, down)]
    assert abs(leans[0] + leans[1]) < 1e-6


@settings(deadline=None)
@given(STEPS)
def test_the_score_and_the_action_belong_together(steps):
    call = said(walk(steps))
    assume(call.action is not None)
    assert 0 <= call.score <= 100
    assert (call.action is Action.HOLD) == (call.score <= 100 * ACTION_THRESHOLD) or call.score == 40
    assert reasons_text({"key": one.key, "params": one.params} for one in call.reasons)


@settings(deadline=None)
@given(
    st.lists(st.tuples(ANY_FLOAT, ANY_FLOAT, ANY_FLOAT), max_size=4), st.integers(0, 200), st.integers(0, 199)
)
@example(rows=[], length=0, place=0)
@example(rows=[(1e308, 1e-308, 1e-308)], length=200, place=150)
@example(rows=[(1e308, 1e308, 1e308)], length=200, place=199)
def test_no_number_is_too_odd(rows, length, place):
    """Anything at all among sound bars: an answer, and never a signal from what is no price."""
    high, low, close = (level + WAVES[:length] for level in (101, 99, 100))
    for at, row in enumerate(rows):
        if place + at < length:
            high[place + at], low[place + at], close[place + at] = row
    opened_at = [NOON - n * Timeframe.H1.length for n in reversed(range(length))]
    odd = Series(timeframe=Timeframe.H1, opened_at=opened_at, bars=Bars(high=high, low=low, close=close))
    call = compute_signal(odd, now=NOON + timedelta(hours=1))
    assert (call.action is None) == (call.score is None) == (not call.inputs)
    if call.action is not None:
        assert np.isfinite([high, low, close]).all()


@settings(deadline=None)
@given(STEPS, st.integers(0, 400))
def test_old_bars_say_nothing_whatever_they_hold(steps, minutes):
    call = compute_signal(series(walk(steps)), now=NOON + timedelta(minutes=minutes))
    assert [reason.key for reason in call.reasons] == ["old"] or minutes <= 135
    assert "old" not in [reason.key for reason in call.reasons] or minutes > 135


@settings(deadline=None)
@given(st.floats(1e-12, 1e12))
def test_a_constant_price_is_flat_at_any_level(price):
    assert compute_indicators(bars([price] * 200, span=0)) is None
