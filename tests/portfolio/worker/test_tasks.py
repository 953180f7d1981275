"""The queue's tasks do their work once, whoever hands them out however often."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db.models.functions import Now
from django.utils import timezone
from django_q.models import Schedule

from exchange.core.observability import correlated, trail
from exchange.models import HistoryRange, Lease, SyncRun
from exchange.services.lease import lease_take
from portfolio import tasks
from portfolio.worker.runner import cycle_is_fresh
from portfolio.worker.schedule import SYNC, next_sync_time, schedules_create_missing
from portfolio.worker.sync_requests import sync_request
from tests.factories import SyncRunFactory

MINUTE = timedelta(minutes=1)
NOW = datetime(2026, 8, 1, 12, 0, 20, tzinfo=UTC)


@pytest.fixture(autouse=True)
def requested(monkeypatch):
    """What was put into the queue."""
    found = []
    monkeypatch.setattr("portfolio.tasks.async_task", lambda *args, **_: found.append(args))
    return found


def test_a_scheduled_cycle_runs_and_asks_for_a_slice_of_history(desk, requested):
    desk.tick(60)
    assert tasks.sync_cycle().endswith(" complete")
    assert SyncRun.objects.get().trigger == "schedule"
    assert requested == [("portfolio.tasks.read_history",), ("portfolio.tasks.read_market",)]


def test_a_task_handed_out_twice_is_one_cycle(desk):
    tasks.sync_cycle()
    desk.requested.clear()
    assert tasks.sync_cycle() == "a scheduled cycle began a moment ago"
    assert SyncRun.objects.count() == 1
    assert desk.requested == []


def test_sixty_missed_tasks_at_once_are_one_cycle(desk):
    for _ in range(60):
        tasks.sync_cycle()
    assert SyncRun.objects.count() == 1
    desk.tick(60)
    tasks.sync_cycle()
    assert SyncRun.objects.count() == 2


def test_two_workers_at_once_are_one_cycle(desk):
    lease_take(purpose="cycle")
    assert tasks.sync_cycle() == "another cycle is running"
    assert tasks.sync_now("alice") == "another cycle is running"
    assert not SyncRun.objects.exists()


def test_a_person_need_not_wait_for_the_schedule(desk):
    tasks.sync_cycle()
    tasks.sync_now("somebody with a long name")
    assert SyncRun.objects.order_by("-id")[0].trigger == "somebody with a "


def test_without_old_history_nothing_is_asked_for(desk, requested):
    tasks.sync_cycle()
    requested.clear()
    HistoryRange.objects.all().delete()
    desk.tick(60)
    tasks.sync_cycle()
    assert requested == []


def test_a_failed_cycle_asks_for_no_history(desk, world, requested):
    world.faults.add("drop_before")
    assert tasks.sync_cycle().endswith(" failed")
    assert requested == []


class TestHistory:
    def test_read_to_the_end_it_asks_for_nothing_more(self, desk, requested):
        desk.sync_ok()
        requested.clear()
        desk.tick(20 - desk.now.second + 60)
        assert tasks.read_history() == "history is complete"
        assert requested == []

    def test_not_finished_it_asks_for_the_next_slice(self, desk, requested, monkeypatch):
        monkeypatch.setattr("portfolio.tasks.history_slice", lambda seconds: False)
        desk.tick(20 - desk.now.second + 60)
        assert tasks.read_history() == "history continues"
        assert requested == [("portfolio.tasks.read_history",)]

    def test_while_a_cycle_runs_it_ends_and_does_not_ask_again(self, desk, requested):
        """The cycle asks for the next slice itself; two tasks that call each other would spin."""
        desk.sync_ok()
        desk.tick(20 - desk.now.second + 60)
        lease_take(purpose="cycle")
        assert tasks.read_history() == "another process holds the lease"
        assert requested == []

    def test_just_before_a_cycle_it_does_not_begin(self, desk, requested):
        desk.sync_ok()
        desk.requested.clear()
        desk.tick(57 - desk.now.second + 60)
        assert tasks.read_history() == "the next cycle is due"
        assert desk.requested == []

    def test_a_refusal_is_told_and_waits_for_the_next_cycle(self, desk, world, requested):
        desk.sync_ok()
        desk.tick(20 - desk.now.second + 60)
        world.faults.add("refuse", "private/*", code=40101)
        told = tasks.read_history()
        assert told.startswith("history waits for the next cycle: ")
        assert "[40101]" in told
        assert requested == []


@pytest.mark.parametrize(
    ("second", "length"), [(0, 20), (20, 20), (37, 20), (40, 17), (52, 5), (55, 2), (58, -1)]
)
@pytest.mark.django_db
def test_a_slice_ends_three_seconds_before_the_next_cycle(second, length):
    assert tasks.slice_length(NOW.replace(second=second)) == timedelta(seconds=length)


@pytest.mark.django_db
def test_a_first_cycle_just_before_the_minute_leaves_the_whole_next_one_to_history():
    """The schedule leaves the minute out that begins within ten seconds; history must not wait for it."""
    schedules_create_missing(now=NOW)
    Schedule.objects.filter(name=SYNC).update(next_run=next_sync_time(NOW.replace(second=52), MINUTE))
    assert tasks.slice_length(NOW.replace(second=54)) == timedelta(seconds=20)


def test_a_slice_of_history_and_new_candles_complete_the_past_values_of_a_dry_run(desk, monkeypatch):
    called = []
    monkeypatch.setattr("portfolio.tasks.value_history_reconstruct", lambda **given: called.append(given))
    desk.sync_ok()
    desk.tick(20 - desk.now.second + 60)
    tasks.read_history()
    tasks.read_market()
    assert called == [{"now": desk.now}, {"now": desk.now}]


@pytest.mark.parametrize("purpose", ["history", "prices"])
def test_a_cycle_waits_for_what_is_no_cycle_but_not_for_ever(desk, monkeypatch, purpose):
    """A slice of history, or a person who sets other prices that very moment."""
    lease = lease_take(purpose=purpose)
    waited = []

    def sleep(seconds):
        waited.append(seconds)
        if len(waited) == 5:
            lease.release()

    monkeypatch.setattr("exchange.services.lease.time.sleep", sleep)
    assert tasks.sync_cycle().endswith(" complete")
    assert len(waited) == 5


@pytest.mark.django_db
def test_only_a_scheduled_cycle_makes_the_next_one_a_repetition():
    SyncRunFactory(trigger="command")
    assert not cycle_is_fresh(timezone.now())


def test_a_lease_that_comes_free_a_moment_after_it_was_found_taken_is_taken(desk, monkeypatch):
    lease = lease_take(purpose="history")

    def holder():
        lease.release()
        return ""

    monkeypatch.setattr("exchange.services.lease.lease_holder", holder)
    monkeypatch.setattr("exchange.services.lease.time.sleep", lambda _: None)
    assert tasks.sync_cycle().endswith(" complete")


@pytest.mark.parametrize(("seconds_left", "waits"), [(25, False), (5, True)])
def test_a_lease_that_nobody_renews_is_waited_for_and_that_of_a_cycle_at_work_is_not(
    desk, monkeypatch, seconds_left, waits
):
    """By the database's clock; a killed worker costs the rest of its lease and no beat."""
    Lease.objects.create(
        name="cycle", holder="cycle there:1 ab", expires_at=Now() + timedelta(seconds=seconds_left)
    )
    slept = []

    def sleep(seconds):
        slept.append(seconds)
        Lease.objects.update(expires_at=Now())

    monkeypatch.setattr("exchange.services.lease.time.sleep", sleep)
    assert (tasks.sync_now("alice") != "another cycle is running") is waits
    assert bool(slept) is waits


def test_the_log_of_a_cycle_that_was_asked_for_names_the_request(desk, monkeypatch):
    queued, trails = [], []
    monkeypatch.setattr("portfolio.worker.sync_requests.async_task", lambda *args, **_: queued.append(args))
    monkeypatch.setattr("portfolio.worker.runner.run_cycle", lambda **_: trails.append(trail()) or [])
    with correlated("req-1"):
        sync_request(requested_by="alice")
    ((_, *words),) = queued
    tasks.sync_now(*words)
    assert trails == [f"req-1 run-{SyncRun.objects.get().pk}"]
