"""The sync keeps its interval on a grid that every worker shares."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
import time_machine
from django_q.models import OrmQ, Schedule

from portfolio.worker.schedule import SYNC, TASKS, next_sync_time, run_due_schedules, schedules_create_missing
from tests.support import queries, utc, write_statements

MINUTE = timedelta(seconds=60)


@pytest.fixture(autouse=True)
def one_connection(monkeypatch):
    """django-q2 would drop the connection that holds the test's transaction."""
    monkeypatch.setattr("django_q.scheduler.close_old_django_connections", lambda: None)


@pytest.fixture(autouse=True)
def only_the_sync(monkeypatch):
    """The other tasks are run by the minute, by the queue itself."""
    monkeypatch.setattr("portfolio.worker.schedule.TASKS", {SYNC: TASKS[SYNC]})


@pytest.mark.parametrize(
    ("now", "seconds", "beat"),
    [
        ("12:00:00", 60, "12:01:00"),
        ("12:00:49", 60, "12:01:00"),
        ("12:00:50", 60, "12:02:00"),  # too close to the next one: it would double the beat
        ("12:00:00", 30, "12:00:30"),
        ("12:00:31", 120, "12:02:00"),
        ("12:00:10", 45, "12:00:45"),
    ],
)
def test_the_next_beat_is_on_the_grid_and_not_too_close(now, seconds, beat):
    assert next_sync_time(utc(f"2026-05-01 {now}"), timedelta(seconds=seconds)) == utc(f"2026-05-01 {beat}")


@pytest.mark.django_db
def test_a_new_schedule_is_due_at_once_and_made_once():
    now = datetime.now(tz=UTC)
    assert schedules_create_missing(now=now) == [SYNC]
    assert schedules_create_missing(now=now + MINUTE) == []
    assert Schedule.objects.get(name=SYNC).next_run == now


@pytest.mark.django_db
def test_a_schedule_follows_its_function_when_that_moves():
    schedules_create_missing(now=utc("2026-05-01 12:00:00"))
    Schedule.objects.update(func="where.it.used.to.be")
    schedules_create_missing(now=utc("2026-05-01 12:05:00"))
    assert Schedule.objects.get(name=SYNC).func == "portfolio.tasks.sync_cycle"


@pytest.mark.django_db
@pytest.mark.parametrize("seconds", [30, 45, 60, 120])
def test_ten_minutes_of_seconds_make_one_cycle_a_beat(seconds):
    begun = ran_at(start=utc("2026-05-01 12:00:00"), seconds=range(600), interval=timedelta(seconds=seconds))
    gaps = {later - earlier for earlier, later in pairwise(begun[1:])}
    assert gaps == {timedelta(seconds=seconds)}
    assert all(
        moment.timestamp() % seconds == 1 for moment in begun[1:]
    )  # due at the beat, seen a second later


@pytest.mark.django_db
def test_two_workers_agree_even_when_one_clock_is_behind():
    schedules_create_missing(now=utc("2026-05-01 12:00:00"))
    for second in range(1, 300):
        for behind in (0, 3):
            look_at(utc("2026-05-01 12:00:00") + timedelta(seconds=second - behind), MINUTE)
    assert OrmQ.objects.count() == 5


@pytest.mark.django_db
def test_an_hour_of_sleep_is_made_up_by_one_cycle():
    begun = ran_at(start=utc("2026-05-01 12:00:00"), seconds=[1, *range(3600, 3660)], interval=MINUTE)
    assert len(begun) == 2


@pytest.mark.django_db
def test_another_interval_counts_from_the_next_look_on():
    ran_at(start=utc("2026-05-01 12:00:00"), seconds=range(5), interval=timedelta(seconds=120))
    look_at(utc("2026-05-01 12:00:10"), timedelta(seconds=30))
    assert Schedule.objects.get(name=SYNC).next_run == utc("2026-05-01 12:00:30")


@pytest.mark.django_db
def test_a_look_that_finds_nothing_writes_nothing():
    ran_at(start=utc("2026-05-01 12:00:00"), seconds=range(3), interval=MINUTE)
    with queries() as statements:
        look_at(utc("2026-05-01 12:00:20"), MINUTE)
    assert write_statements(statements) == []


def ran_at(*, start, seconds, interval):
    """The moments at which a worker that looks at these seconds hands out a cycle."""
    begun = []
    schedules_create_missing(now=start)
    for second in seconds:
        now, before = start + timedelta(seconds=second), OrmQ.objects.count()
        look_at(now, interval)
        begun += [now] * (OrmQ.objects.count() - before)
    return begun


def look_at(now, interval):
    with time_machine.travel(now, tick=False):
        run_due_schedules(now=now, interval=interval)
