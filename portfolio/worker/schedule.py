"""The schedules of the worker, and how the sync keeps its interval.

django-q2 counts a schedule in whole minutes from its last run. So the sync is planned FALLBACK_MINUTES ahead and
then moved forward to the next multiple of the interval since the epoch, the same for every worker.
"""

import logging
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.db.models import Q
from django_q.models import Schedule
from django_q.scheduler import scheduler

logger = logging.getLogger(__name__)

SYNC = "exchange sync"
FALLBACK_MINUTES = 3  # above the slowest interval and MIN_INTERVAL; applies if no worker moves it forward
TASKS = {  # name → function, and the minutes from one run to the next
    SYNC: ("portfolio.tasks.sync_cycle", FALLBACK_MINUTES),
    "alerts": ("portfolio.tasks.send_alerts", 1),
    "signals": ("portfolio.tasks.read_market", 5),
    "tidying": ("portfolio.tasks.tidy_up", 60),
    "thinning": ("portfolio.tasks.thin_values", 60),
}
# So that a cycle at startup, or a worker whose clock is behind, does not run twice in one interval.
MIN_INTERVAL = timedelta(seconds=10)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def schedules_create_missing(*, now: datetime) -> list[str]:
    """Returns the names of the created schedules; a new one is due at once. Those of anyone else are deleted."""
    Schedule.objects.exclude(name__in=TASKS).delete()
    return [name for name in TASKS if _schedule_create(name=name, now=now)]


def _schedule_create(*, name: str, now: datetime) -> bool:
    values = _values(name)
    _, created = Schedule.objects.update_or_create(
        name=name, defaults=values, create_defaults={**values, "next_run": now}
    )
    return bool(created)


def _values(name: str) -> dict[str, Any]:
    # Also what we do not use: a hook, arguments and another cluster could be put there by someone else.
    func, minutes = TASKS[name]
    unused = dict.fromkeys(("hook", "args", "kwargs", "cluster", "cron", "intended_date_kwarg"))
    return {**unused, "func": func, "schedule_type": Schedule.MINUTES, "minutes": minutes, "repeats": -1}


def run_due_schedules(*, now: datetime, interval: timedelta) -> None:
    """Queue what is due, then move the sync forward; without anything due it takes no write lock."""
    if Schedule.objects.filter(next_run__lt=now).exists():
        _restore_changed(now)
        scheduler()
    too_late = Schedule.objects.filter(name=SYNC, next_run__gt=now + MIN_INTERVAL + interval)
    if too_late.exists():
        too_late.update(next_run=next_sync_time(now, interval))


def _restore_changed(now: datetime) -> None:
    ours = Q(pk__in=[])
    for name in TASKS:
        ours |= Q(name=name, **_values(name))
    if Schedule.objects.exclude(ours).exists():
        logger.warning("Worker: schedules that are not ours were removed")
        schedules_create_missing(now=now)


def next_sync_due(*, now: datetime) -> datetime:
    """When the next scheduled cycle begins: a start a moment before a multiple of the interval leaves that one out."""
    interval = timedelta(seconds=settings.SYNC_INTERVAL_SECONDS)
    planned = Schedule.objects.filter(name=SYNC, next_run__gt=now).values_list("next_run", flat=True).first()
    return planned or now + interval - (now - EPOCH) % interval


def next_sync_time(now: datetime, interval: timedelta) -> datetime:
    """The first multiple of `interval` since the epoch that is more than MIN_INTERVAL away."""
    return EPOCH + ((now + MIN_INTERVAL - EPOCH) // interval + 1) * interval
