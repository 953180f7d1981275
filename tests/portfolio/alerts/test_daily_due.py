"""The daily alert is due once a local date, whatever the clocks do there."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from portfolio.alerts.daily_report import daily_due, daily_moment

ZONES = (
    "UTC",
    "Europe/Madrid",
    "America/New_York",
    "America/St_Johns",  # until 2011 the clocks changed a minute after midnight
    "America/Sao_Paulo",  # at midnight, until 2019
    "Australia/Lord_Howe",  # by half an hour
    "Asia/Kolkata",
    "Pacific/Apia",  # without the 30th of December 2011
    "Pacific/Kiritimati",
    "Africa/Casablanca",
)
EIGHT = time(8)
FIRST, LAST = datetime(2005, 1, 1), datetime(2030, 1, 1)  # noqa: DTZ001  # Hypothesis puts the zone to them
moments = st.datetimes(FIRST, LAST, timezones=st.just(UTC))
zones = st.sampled_from(ZONES).map(ZoneInfo)
times = st.times().map(lambda moment: moment.replace(second=0, microsecond=0))


def utc(text):
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("zone", "day", "at", "moment"),
    [
        ("Europe/Madrid", "2026-01-15", "08:00", "2026-01-15 07:00"),
        ("Europe/Madrid", "2026-07-15", "08:00", "2026-07-15 06:00"),
        ("Europe/Madrid", "2026-03-29", "02:30", "2026-03-29 01:00"),  # does not exist: as soon as it is past
        ("Europe/Madrid", "2026-10-25", "02:30", "2026-10-25 00:30"),  # exists twice: the first
        ("Australia/Lord_Howe", "2026-10-04", "02:15", "2026-10-03 15:30"),  # half an hour does not exist
        ("Australia/Lord_Howe", "2026-04-05", "01:45", "2026-04-04 14:45"),  # half an hour exists twice
        ("America/Sao_Paulo", "2018-11-04", "00:00", "2018-11-04 03:00"),  # midnight does not exist
        ("America/New_York", "2026-11-01", "01:30", "2026-11-01 05:30"),
    ],
)
def test_the_moment_of_a_day(zone, day, at, moment):
    assert daily_moment(date.fromisoformat(day), ZoneInfo(zone), time.fromisoformat(at)) == utc(moment)


def test_it_is_due_from_its_moment_on_and_once():
    zone, day = ZoneInfo("Europe/Madrid"), date(2026, 7, 15)
    assert daily_due(utc("2026-07-15 05:59"), zone, EIGHT, day - timedelta(days=1)) is None
    assert daily_due(utc("2026-07-15 06:00"), zone, EIGHT, day - timedelta(days=1)) == day
    assert daily_due(utc("2026-07-15 06:01"), zone, EIGHT, day) is None


def test_after_three_days_away_only_the_newest_is_made():
    assert daily_due(utc("2026-07-15 03:00"), ZoneInfo("UTC"), EIGHT, date(2026, 7, 11)) == date(2026, 7, 14)


@given(now=moments, zone=zones, at=times)
def test_what_is_due_has_come_and_is_the_newest(now, zone, at):
    day = daily_due(now, zone, at, None)
    assert daily_moment(day, zone, at) <= now
    assert daily_moment(day + timedelta(days=1), zone, at) > now


@given(now=moments, zone=zones, at=times, days=st.integers(0, 5))
def test_made_it_is_never_due_again(now, zone, at, days):
    day = daily_due(now, zone, at, None)
    assert daily_due(now, zone, at, day) is None
    assert daily_due(now, zone, at, day + timedelta(days=days)) is None
    assert daily_due(now, zone, at, day - timedelta(days=days + 1)) == day


@given(start=moments, zone=zones, at=times, steps=st.lists(st.integers(1, 3000), max_size=40))
def test_however_often_one_looks_each_date_comes_once_and_they_only_grow(start, zone, at, steps):
    now, last, made = start, None, []
    for minutes in steps:
        now += timedelta(minutes=minutes)
        day = daily_due(now, zone, at, last)
        if day is not None:
            made.append(day)
            last = day
    assert made == sorted(set(made))


@given(start=moments, zone=zones, at=times)
def test_looked_at_each_ten_minutes_no_date_is_left_out(start, zone, at):
    last, made = None, []
    for step in range(6 * 24 * 4):
        day = daily_due(start + timedelta(minutes=10 * step), zone, at, last)
        if day is not None:
            made.append(day)
            last = day
    assert [later - earlier for earlier, later in pairwise(made)] == [timedelta(days=1)] * (len(made) - 1)
    assert len(made) in (4, 5)


@given(day=st.dates(date(2005, 1, 1), date(2029, 12, 31)), zone=zones, at=times)
def test_it_never_comes_before_its_time_and_at_most_the_jump_later(day, zone, at):
    local = daily_moment(day, zone, at).astimezone(zone).replace(tzinfo=None)
    assert timedelta(0) <= local - datetime.combine(day, at) <= timedelta(days=1)
