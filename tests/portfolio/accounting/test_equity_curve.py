"""The recorded value over time: few points, gaps, and the change over a day."""

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.utils import timezone

from portfolio.accounting.snapshots import change_24h, curve, parse_span, values_between, width_ms
from tests.factories import SnapshotFactory
from tests.support import queries

pytestmark = pytest.mark.django_db
MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)


@pytest.fixture
def now():
    return timezone.now().replace(microsecond=0)


def recorded(now, *ages, **changes):
    for age in ages:
        SnapshotFactory(at=now - age, **changes)


def test_each_stretch_shows_its_last_value(now):
    for minutes in range(100):
        recorded(now, minutes * MINUTE, total_usd=D(minutes))
    points = values_between(now - 99 * MINUTE, now, most=10)
    assert len(points) == 10
    assert [point.total_usd for point in points[-2:]] == [10, 0]


@pytest.mark.parametrize("seconds", [0, 1, 499, 500, 501, 86_400])
def test_there_are_never_more_points_than_asked_for(now, seconds):
    start = now - timedelta(seconds=seconds)
    width = width_ms(start, now, 500)
    assert (seconds * 1000) // width < 500


def test_as_many_statements_for_many_values_as_for_few(now):
    counts = []
    for count in (5, 300):
        recorded(now, *(n * MINUTE + count * timedelta(seconds=1) for n in range(count)))
        with queries() as statements:
            curve("all", now=now)
        counts.append(len(statements))
    assert counts == [2, 2]


def test_a_gap_stays_a_gap(now):
    recorded(now, *(n * MINUTE for n in range(60) if not 20 < n < 40))
    points = values = curve("all", now=now, most=60)
    assert [point[1] for point in points].count(None) == 1
    place = [value for _, value in values].index(None)
    assert now - 40 * MINUTE < points[place][0] < now - 20 * MINUTE


def test_old_values_lie_further_apart_without_a_gap(now):
    hours = [timedelta(hours=n) for n in range(50, 120)]
    recorded(now, *hours, *(timedelta(days=n) for n in range(91, 120)), *(n * MINUTE for n in range(48 * 60)))
    gaps = [at for at, value in curve("1w", now=now) if value is None]
    assert gaps == []


def test_the_span_is_one_that_we_know():
    assert [parse_span(given) for given in ({}, {"range": "1M"}, {"range": "9y"})] == ["1w", "1m", "1w"]


def test_the_change_is_against_the_nearest_value_a_day_ago(now):
    recorded(now, DAY - 4 * MINUTE, total_usd=D(1))
    recorded(now, DAY + 2 * MINUTE, total_usd=D(9_000))
    change = change_24h(D("9900.00"), unpriced=(), read_at=now)
    assert (change.usd, change.pct, change.since) == (900, 10, now - DAY - 2 * MINUTE)


def test_no_change_is_told_when_nothing_was_recorded_near(now):
    recorded(now, DAY - 11 * MINUTE, DAY + 11 * MINUTE)
    assert change_24h(D(1), unpriced=(), read_at=now) is None
    assert change_24h(None, unpriced=(), read_at=now) is None
    assert change_24h(D(1), unpriced=(), read_at=None) is None


def test_no_change_is_told_between_totals_of_different_coins(now):
    recorded(now, DAY, unpriced=["XYZ"])
    assert change_24h(D(1), unpriced=("ABC",), read_at=now) is None
    assert change_24h(D(1), unpriced=("XYZ",), read_at=now) is not None


def test_from_nothing_there_is_a_change_without_a_percentage(now):
    recorded(now, DAY, total_usd=D(0))
    assert change_24h(D(5), unpriced=(), read_at=now).pct is None
