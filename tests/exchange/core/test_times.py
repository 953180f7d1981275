"""The exchange's milliseconds survive as times, to the millisecond."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.core.times import NS_PER_DAY, from_ms, to_ms

YEAR_2100_MS = 4_102_444_800_000


def test_a_recorded_millisecond_reads_as_the_time_it_was():
    assert from_ms(1_613_575_617_173) == datetime(2021, 2, 17, 15, 26, 57, 173_000, tzinfo=UTC)


def test_a_time_elsewhere_is_the_same_moment():
    madrid = timezone(timedelta(hours=2))
    assert to_ms(datetime(2026, 7, 1, 2, 0, tzinfo=madrid)) == to_ms(datetime(2026, 7, 1, tzinfo=UTC))


def test_below_a_millisecond_is_cut_off():
    assert to_ms(datetime(1970, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)) == 1


def test_a_day_in_nanoseconds():
    assert timedelta(days=1) // timedelta(microseconds=1) * 1000 == NS_PER_DAY


def test_a_time_without_a_zone_is_refused():
    with pytest.raises(TypeError):
        to_ms(datetime(2026, 1, 1))  # noqa: DTZ001


@given(st.integers(0, YEAR_2100_MS))
def test_there_and_back_is_exact(ms):
    assert to_ms(from_ms(ms)) == ms
