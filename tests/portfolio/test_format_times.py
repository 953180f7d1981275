"""How times and ages are written."""

from datetime import UTC, datetime, timedelta

import pytest

from portfolio.formatting import age
from portfolio.templatetags.formatting import clock

NOW = datetime(2026, 11, 22, 14, 32, 41, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (59, "59 s"),
        (60, "1 min"),
        (3599, "59 min"),
        (7200, "2 h"),
        (200_000, "2 d"),
        (None, "n/a"),
    ],
)
def test_an_age_is_coarse(seconds, text):
    assert age(seconds) == text


@pytest.mark.parametrize(
    ("back", "text"),
    [
        (timedelta(minutes=30), "14:02:41"),
        (timedelta(hours=15, minutes=45), "21 Nov 22:47"),
        (timedelta(days=365), "22 Nov 2025"),
    ],
)
def test_a_time_says_its_day_when_that_is_not_today(back, text):
    shown = clock(NOW - back, NOW)
    assert shown == f'<time datetime="{(NOW - back).isoformat()}">{text}</time>'


def test_the_clock_is_that_of_the_desk(settings):
    settings.TIME_ZONE = "Asia/Tokyo"
    assert ">22 Nov 23:32:41<" not in clock(NOW, NOW)
    assert ">23:32:41<" in clock(NOW, NOW)
