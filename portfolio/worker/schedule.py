"""The schedules of the worker, and how the sync keeps its interval.

django-q2 counts a schedule in whole minutes from its last run. So the sync is planned FALLBACK_MINUTES ahead and
then moved forward to the next multiple of the interval since the epoch, the same for every worker.
"""

from datetime import UTC, datetime, timedelta

from django_q.models import Schedule
from django_q.scheduler import scheduler

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
    """Returns the names of the created schedules; a new one is due at once."""
    return [
        name
        for name, (func, minutes) in TASKS.items()
        if _schedule_create(name=name, func=func, minutes=minutes, now=now)
    ]


def _schedule_create(*, name: str, func: str, minutes: int, now: datetime) -> bool:
    values = {"func": func, "schedule_type": Schedule.MINUTES, "minutes": minutes}
    _, created = Schedule.objects.update_or_create(
        name=name, defaults=values, create_defaults={**values, "next_run": now}
    )
    return bool(created)


def run_due_schedules(*, now: datetime, interval: timedelta) -> None:
    """Queue what is due, then move the sync forward; without anything due it takes no write lock."""
    if Schedule.objects.filter(next_run__lt=now).exists():
        scheduler()
    too_late = Schedule.objects.filter(name=SYNC, next_run__gt=now + MIN_INTERVAL + interval)
    if too_late.exists():
        too_late.update(next_run=next_sync_time(now, interval))


def next_sync_time(now: datetime, interval: timedelta) -> datetime:
    """The first multiple of `interval` since the epoch that is more than MIN_INTERVAL away."""
    return EPOCH + ((now + MIN_INTERVAL - EPOCH) // interval + 1) * interval
