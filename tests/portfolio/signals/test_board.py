"""The signals as shown: calls first, then those that hold, and apart from them who says nothing."""

from datetime import timedelta

import pytest
from django.utils import timezone

from portfolio.signals.selectors import board
from tests.factories import SignalFactory
from tests.support import queries

pytestmark = pytest.mark.django_db
QUARTER = timedelta(minutes=15)


def shown():
    found = board(now=timezone.now())
    return [(row.instrument_name, row.timeframe) for row in found.calls], [
        row.timeframe for row in found.without_signal
    ]


def test_the_strongest_call_first_then_what_holds():
    SignalFactory(instrument_name="A_USD", action="HOLD", score=39)
    SignalFactory(instrument_name="B_USD", action="SELL", score=60)
    SignalFactory(instrument_name="C_USD", action="BUY", score=80)
    recent = timezone.now() - QUARTER
    SignalFactory(instrument_name="B_USD", action="BUY", score=60, timeframe="15m", candle_time=recent)
    SignalFactory(instrument_name="D_USD", action="", score=None, timeframe="1D")
    assert shown() == ([("C_USD", "1h"), ("B_USD", "15m"), ("B_USD", "1h"), ("A_USD", "1h")], ["1D"])


@pytest.mark.parametrize(("minutes", "calls"), [(44, 1), (46, 0)])
def test_an_old_call_falls_silent_by_itself(minutes, calls):
    SignalFactory(timeframe="15m", candle_time=timezone.now() - timedelta(minutes=minutes))
    found = board(now=timezone.now())
    assert len(found.calls) == calls
    if not calls:
        (row,) = found.without_signal
        assert (row.action, row.score, row.inputs) == (None, None, {})
        assert row.reason == "The latest closed candle is too old."


def test_two_queries():
    for n in range(10):
        SignalFactory(instrument_name=f"C{n}_USD")
    with queries() as asked:
        board(now=timezone.now())
    assert len(asked) == 2
