"""What the queue runs: a cycle on schedule, a cycle asked for, a slice of history in between."""

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone
from django_q.tasks import async_task

from exchange.backfill import backfill_is_due, history_slice
from exchange.models import SyncRun
from exchange.times import EPOCH
from portfolio.services.sync import EXPECTED, cycle_is_fresh, sync_run

SLICE = timedelta(seconds=20)
WORTH_A_SLICE = timedelta(seconds=4)
BEFORE_CYCLE = timedelta(seconds=3)


def sync_cycle() -> str:
    """The scheduled cycle. A redelivered task, or one that another worker is already at, does nothing."""
    if cycle_is_fresh(timezone.now()):
        return "a scheduled cycle began a moment ago"
    return _after(sync_run(trigger="schedule"))


def sync_now(requested_by: str) -> str:
    """The cycle that a person or program asked for."""
    return _after(sync_run(trigger=requested_by[:16]))


def read_history() -> str:
    """A slice of old history, and another one while there is time before the next cycle."""
    length = slice_length(timezone.now())
    if length < WORTH_A_SLICE:
        return "the next cycle is due"
    try:
        done = history_slice(seconds=length.total_seconds())
    except EXPECTED as error:
        return f"history waits for the next cycle: {error}"
    if done is None:
        return "somebody else holds the lease"
    if not done:
        _ask_for_slice()
    return "history is complete" if done else "history goes on"


def slice_length(now: datetime) -> timedelta:
    """How long a slice may read from `now` on, so that it ends before the next cycle is due."""
    interval = timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)
    return min(SLICE, interval - (now - EPOCH) % interval - BEFORE_CYCLE)


def _after(run: SyncRun | None) -> str:
    if run is None:
        return "another cycle is running"
    if run.status != SyncRun.Status.FAILED and backfill_is_due():
        _ask_for_slice()
    return str(run)


def _ask_for_slice() -> None:
    async_task("portfolio.tasks.read_history", group="history")
